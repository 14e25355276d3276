"""The state graph of a small model."""
