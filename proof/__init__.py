"""Does a stack produce telemetry? Its documents run on this machine and are asked for every panel and trace."""
