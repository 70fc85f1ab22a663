"""What the security linter says of the template and is let be: each rule, of which resources, and why.

`*` stands for all of the rule's kind. A line that nothing needs any more fails the test.
"""

ACCEPTED = {
    "CKV_AWS_18": (
        "ObjectsBucket",
        "access is signed request by request; CloudTrail's data events tell who, if wanted",
    ),
    "CKV_AWS_27": ("DeadLetters", "it is encrypted by SQS itself, which the rule does not know"),
    "CKV_AWS_28": (
        "AnswersTable FlavorsTable RatesTable",
        "gone within a day, an hour, or copied anew every ten minutes",
    ),
    "CKV_AWS_73": ("RestAPI*", "workflows are traced; a request has its id and one line of log"),
    "CKV_AWS_76": (
        "RestAPI*",
        "it takes a role that is set once for a whole account; the API logs each request itself",
    ),
    "CKV_AWS_115": ("Announce Cloud Guest Outcomes Records", "steps share what the API, reads and sweeps leave them"),
    "CKV_AWS_116": (
        "*",
        "those that events invoke have a destination for failures, the rest answer whoever calls them",
    ),
    "CKV_AWS_117": (
        "Announce Outcomes Records Scheduler Sweep",
        "they speak to AWS alone, and reach no guest and no cloud",
    ),
    "CKV_AWS_119": ("*", "encrypted by DynamoDB's own key; what is secret is sealed by DataKey before it is stored"),
    "CKV_AWS_120": ("RestAPI*", "an answer is as of now, and costs by the hour if it is kept"),
    "CKV_AWS_158": ("*", "encrypted by CloudWatch's own key; no secret is ever logged"),
    "CKV_AWS_173": ("*", "they name things and hold no secret: passwords are in Secrets Manager, tokens are hashes"),
}
