"""Who you are: the words that pages and mails show. Change them here and nowhere else."""

NAME = "SaaS Starter"
TAGLINE = "Sell your software from the first day."
DESCRIPTION = "A Flask starter with accounts, subscriptions and a pricing page that just works."
AUTHOR = "SaaS Starter Maintainers"
EMAIL = "hello@example.com"
DOMAIN = "example.com"
