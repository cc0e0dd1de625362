// WebhookNotifier
