"""An OpenID Connect provider."""
