"""The methods: one table, a row each."""
