"""Commands under attack: IO that fails, memory that ends, signals, at the n-th occasion, for every n."""
