"""What operators ask, by REST with the administrator's token and over the control socket."""
