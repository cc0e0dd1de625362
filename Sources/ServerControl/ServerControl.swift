// ServerControl
