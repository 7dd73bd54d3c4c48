"""The part of the original's GraphQL API that takes results, as a server on the loopback: `python graphql_api.py`.

It needs graphql-core, which the local AWS's environment has. The schema has the names, types and required fields of
the published model ScoreResult, as AppSync derives them; requests are validated against it. A record is created once.
The first line of output is the port. `GET /` answers the records and the number of each operation.
"""

import importlib
import json
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "da2-test"
SDL = """
scalar AWSJSON
scalar AWSDateTime

type ScoreResult {
  id: ID! value: String! explanation: String confidence: Float metadata: AWSJSON trace: AWSJSON correct: Boolean
  cost: AWSJSON attachments: [String] type: String status: String itemId: String! accountId: String!
  scoringJobId: String evaluationId: String scorecardId: String! scoreVersionId: String scoreId: String code: String
  updatedAt: AWSDateTime createdAt: AWSDateTime feedbackItemId: String
}

input CreateScoreResultInput {
  id: ID value: String! explanation: String confidence: Float metadata: AWSJSON trace: AWSJSON correct: Boolean
  cost: AWSJSON attachments: [String] type: String status: String itemId: String! accountId: String!
  scoringJobId: String evaluationId: String scorecardId: String! scoreVersionId: String scoreId: String code: String
  updatedAt: AWSDateTime createdAt: AWSDateTime feedbackItemId: String
}

type Query { getScoreResult(id: ID!): ScoreResult }
type Mutation { createScoreResult(input: CreateScoreResultInput!): ScoreResult }
"""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


class Api:
    """The records by id, and the counts of operations; `lose` answers about every second record are lost after effect.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self.graphql = importlib.import_module("graphql")
        self.schema = self.graphql.build_schema(SDL)
        self.schema.type_map["AWSJSON"].parse_value = self._parse_json
        self.schema.type_map["AWSDateTime"].parse_value = self._parse_time
        self.records: dict[str, dict[str, Any]] = {}
        self.created = self.refused = 0
        self.lose = 0
        self.lost: Counter[str] = Counter()
        self.lock = threading.Lock()

    def _parse_json(self, value: object) -> object:
        if not isinstance(value, str):
            raise self.graphql.GraphQLError("Variable 'input' has an invalid value: AWSJSON is a string")
        json.loads(value)
        return value

    def _parse_time(self, value: object) -> object:
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            raise self.graphql.GraphQLError("Variable 'input' has an invalid value: AWSDateTime")
        return value

    def create(self, input: dict[str, Any]) -> dict[str, Any]:
        """Create a record, or refuse as DynamoDB's condition does."""
        if input["id"] in self.records:
            self.refused += 1
            raise self.graphql.GraphQLError(
                "The conditional request failed (Service: DynamoDb, Status Code: 400)",
                extensions={"errorType": "DynamoDB:ConditionalCheckFailedException"},
            )
        self.created += 1
        self.records[input["id"]] = input
        return input

    def loses_answer(self, identity: str) -> bool:
        """Return whether the answer about a stored record is to be lost, and count it if so."""
        if identity not in list(self.records)[::2] or self.lost[identity] >= self.lose:
            return False
        self.lost[identity] += 1
        return True

    def execute(self, document: dict[str, Any]) -> dict[str, Any]:
        """Execute an operation; AppSync has an error's type beside its message."""
        root = {
            "createScoreResult": lambda _, input: self.create(input),
            "getScoreResult": lambda _, id: self.records.get(id),
        }
        result = self.graphql.graphql_sync(self.schema, document["query"], root, variable_values=document["variables"])
        errors = [{"message": error.message, **(error.extensions or {})} for error in result.errors or []]
        return {"data": result.data, **({"errors": errors} if errors else {})}


def serve(api: Api) -> None:
    """Serve until the process ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/lose":
                api.lose = document
                self._answer(200, {})
            elif self.headers.get("x-api-key") != KEY:
                self._answer(401, {"errors": [{"errorType": "UnauthorizedException", "message": "no"}]})
            else:
                with api.lock:
                    answer = api.execute(document)
                    is_lost = "mutation" in document["query"] and api.loses_answer(document["variables"]["input"]["id"])
                self._answer(503 if is_lost else 200, answer)

        def do_GET(self) -> None:
            counts = {"created": api.created, "refused": api.refused}
            self._answer(200, {"records": api.records, **counts})

        def _answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(Api())
