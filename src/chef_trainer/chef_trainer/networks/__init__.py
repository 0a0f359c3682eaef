"""Torch modules: features, torsos and heads, and the policies made of them."""
