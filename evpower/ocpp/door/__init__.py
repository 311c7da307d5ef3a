"""The stations' listener: admission, credentials, capacity, time-outs and the drain."""
