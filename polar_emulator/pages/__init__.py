"""The pages that people see: the checkout, the portal, the control page, invoices."""
