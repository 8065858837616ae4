"""The ground floor: institutions and their scopes, people and their roles, runs and chunks."""
