"""read-sigma.py FILE...: reads exported Sigma rules with pySigma, strictly, and says how many of each kind there are."""
import collections, json, sys, uuid
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule

counts, ids, names = collections.Counter(), set(), set()
for path in sys.argv[1:]:
    # Errors are raised, and what correlations refer to must be there.
    collection = SigmaCollection.from_yaml(open(path, encoding="utf-8").read(), collect_errors=False)
    collection.resolve_rule_references()
    for rule in collection.rules:
        assert not rule.errors, (path, rule.errors)
        assert rule.id and rule.id not in ids, (path, "id", rule.id)
        assert rule.name and rule.name not in names, (path, "name", rule.name)
        assert rule.level is not None and rule.status is not None and rule.falsepositives, path
        ids.add(rule.id)
        names.add(rule.name)
        if isinstance(rule, SigmaCorrelationRule):
            counts[str(rule.type.name).lower()] += 1
        else:
            assert isinstance(rule, SigmaRule)
            # The condition names only selections that are there.
            for condition in rule.detection.parsed_condition:
                condition.parsed
            counts["rule"] += 1
print(json.dumps(counts, sort_keys=True))
