"""A model of what each command of Octopus's products changes, and remedies that are carried out on it."""
