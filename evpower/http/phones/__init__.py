"""What drivers' phones ask and hear: REST routes and the live socket."""
