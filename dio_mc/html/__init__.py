"""Pages: a trace as one HTML file that needs no network; a folder of them, served on the loopback interface."""
