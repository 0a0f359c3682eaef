"""Look at episodes: pages for a browser, and the same data in Rerun."""
