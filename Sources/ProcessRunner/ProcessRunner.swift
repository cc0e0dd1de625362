// ProcessRunner
