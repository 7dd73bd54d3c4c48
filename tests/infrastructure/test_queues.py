import stages
from tests.infrastructure.templates import read_template, resources

SOURCES = {"RequestQueue": "RequestDeadLetterQueue", "ResponseQueue": "ResponseDeadLetterQueue"}


def test_each_queue_has_a_dead_letter_queue_that_accepts_only_it(stage: str) -> None:
    """A message received too often is moved to the queue's own dead-letter queue, which accepts no other source."""
    settings = stages.load(stage)
    queues = resources(read_template(stage, "queues"), "AWS::SQS::Queue")
    for source, dead_letters in SOURCES.items():
        redrive = queues[source]["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [dead_letters, "Arn"]}
        assert redrive["maxReceiveCount"] == settings.queues.max_receive_count
        allowed = queues[dead_letters]["RedriveAllowPolicy"]
        assert allowed["redrivePermission"] == "byQueue"
        assert [arn["Fn::Sub"].rpartition(":")[2] for arn in allowed["sourceQueueArns"]] == [
            queues[source]["QueueName"]
        ]


def test_a_request_stays_hidden_six_timeouts(stage: str) -> None:
    """The request queue's visibility timeout is at least six times the function's timeout."""
    queue = resources(read_template(stage, "queues"), "AWS::SQS::Queue")["RequestQueue"]
    function = resources(read_template(stage, "function"), "AWS::Lambda::Function")["Function"]
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_queues_are_encrypted_and_refuse_plain_connections(stage: str) -> None:
    """Every queue is encrypted at rest, and its policy denies requests without TLS."""
    template = read_template(stage, "queues")
    policies = resources(template, "AWS::SQS::QueuePolicy")
    for name, queue in resources(template, "AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True
        policy = policies[f"{name}Policy"]
        assert policy["Queues"] == [{"Ref": name}]
        assert [(s["Effect"], s["Condition"]) for s in policy["PolicyDocument"]["Statement"]] == [
            ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        ]


def test_dead_letters_outlive_what_they_came_from(stage: str) -> None:
    """A dead-letter queue retains for longer than its source: a letter's age counts from when it was first sent."""
    queues = resources(read_template(stage, "queues"), "AWS::SQS::Queue")
    for source, dead_letters in SOURCES.items():
        kept = (queues[source]["MessageRetentionPeriod"], queues[dead_letters]["MessageRetentionPeriod"])
        assert kept == (7 * 24 * 3600, 14 * 24 * 3600)
