"""What a driver sees of the past: charges and money, the curve and the receipts of a charge, the evidence of its bill.

Decides what is kept of a charge when it becomes final, and how it is shown; it moves no money
(contract/roadmap/history-favorites-push §1).
"""
