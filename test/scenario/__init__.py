"""The scenarios: the formula in the lab, from blank nodes through every fault, judged from outside."""
