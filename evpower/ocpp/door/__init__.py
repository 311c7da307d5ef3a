"""The chargers' listener: admission, credentials, capacity, time-outs and the drain."""
