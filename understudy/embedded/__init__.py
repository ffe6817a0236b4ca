"""The one-command stack: private servers from wheels, the API and a worker under one supervisor."""
