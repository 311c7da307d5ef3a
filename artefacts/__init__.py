"""What is handed out: `make dist` builds wheel, lock and executable; `make notice` says what of others is in them."""
