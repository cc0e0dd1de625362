// LogNotifier
