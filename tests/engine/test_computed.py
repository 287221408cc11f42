"""Functions that are pure: the documents that the providers themselves would write, letter for letter."""

from __future__ import annotations

import json
import textwrap
import zlib
from typing import Any

import pytest

from skerry.engine.answers import builtin_answers

DOCUMENT = "aws:iam/getPolicyDocument:getPolicyDocument"


def document(**args: Any) -> dict[str, Any] | None:
    return builtin_answers().answer(DOCUMENT, args)


def text(found: dict[str, Any] | None) -> str:
    assert found is not None
    return str(found["json"])


def principal(kind: str, *names: str) -> dict[str, Any]:
    return {"type": kind, "identifiers": list(names)}


ONE = {"actions": ["s3:GetObject"], "resources": ["*"]}
WRITTEN: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, '{"Version":"2012-10-17"}'),
    "one action is bare, several fall in order": (
        {"statements": [{"sid": "1", "actions": ["a:b", "c:d"], "resources": ["arn:1"]}]},
        '{"Version":"2012-10-17","Statement":[{"Sid":"1","Effect":"Allow","Action":["c:d","a:b"],"Resource":"arn:1"}]}',
    ),
    "twice the same is once": (
        {"statements": [{"actions": ["a:b", "a:b"], "resources": ["*"]}]},
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*"}]}',
    ),
    "all fields in the provider's order": (
        {
            "policyId": "P",
            "version": "2008-10-17",
            "statements": [
                {
                    "conditions": [{"test": "StringLike", "variable": "s3:prefix", "values": ["b", "a"]}],
                    "notPrincipals": [principal("AWS", "x")],
                    "notResources": ["r"],
                    "notActions": ["n"],
                    "effect": "Deny",
                }
            ],
        },
        '{"Version":"2008-10-17","Id":"P","Statement":[{"Effect":"Deny","NotAction":"n","NotResource":"r",'
        '"NotPrincipal":{"AWS":"x"},"Condition":{"StringLike":{"s3:prefix":["b","a"]}}}]}',
    ),
    "principals by type, everybody as a star": (
        {
            "statements": [
                {"actions": ["sts:AssumeRole"], "principals": [principal("Service", "b", "c"), principal("AWS", "a")]},
                {"actions": ["s3:*"], "principals": [principal("*", "*")]},
                {"actions": ["s3:*"], "principals": [principal("AWS", "*")]},
            ]
        },
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
        '"Principal":{"AWS":"a","Service":["c","b"]}},{"Effect":"Allow","Action":"s3:*","Principal":"*"},'
        '{"Effect":"Allow","Action":"s3:*","Principal":{"AWS":"*"}}]}',
    ),
    "policy variables, and letters that Go escapes": (
        {"statements": [{"actions": ["a"], "resources": ["home/&{aws:username}/<&>"]}]},
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a",'
        '"Resource":"home/${aws:username}/\\u003c\\u0026\\u003e"}]}',
    ),
    "sources come first, overrides replace by Sid": (
        {
            "sourcePolicyDocuments": [
                '{"Version":"2008-10-17","Statement":[{"Sid":"k","Effect":"Allow","Action":["x"]}]}'
            ],
            "statements": [ONE],
            "overridePolicyDocuments": ['{"Id":"new","Statement":[{"sid":"k","effect":"Deny","Action":"y"}]}'],
        },
        '{"Version":"2012-10-17","Id":"new","Statement":[{"Sid":"k","Effect":"Deny","Action":"y"},'
        '{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}',
    ),
    "conditions and principals of a source": (
        {
            "sourcePolicyDocuments": [
                json.dumps(
                    {
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"AWS": ["a", "b"], "Service": "s"},
                                "Condition": {"Bool": {"aws:Secure": True}, "ArnLike": {"k": ["one"]}},
                            }
                        ]
                    }
                )
            ]
        },
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["b","a"],"Service":"s"},'
        '"Condition":{"ArnLike":{"k":"one"},"Bool":{"aws:Secure":"true"}}}]}',
    ),
}


@pytest.mark.parametrize(("args", "expected"), list(WRITTEN.values()), ids=list(WRITTEN))
def test_a_policy_document(args: dict[str, Any], expected: str) -> None:
    found = document(**args)
    assert found is not None
    assert expected == found["minifiedJson"]
    assert json.loads(expected) == json.loads(found["json"])
    assert str(zlib.crc32(found["json"].encode())) == found["id"]


def test_a_policy_document_is_indented_by_two() -> None:
    expected = """
        {
          "Version": "2012-10-17",
          "Statement": [
            {
              "Effect": "Allow",
              "Action": "s3:GetObject",
              "Resource": "*"
            }
          ]
        }"""
    assert textwrap.dedent(expected).strip() == text(document(statements=[ONE]))


NOT_TOLD: dict[str, dict[str, Any]] = {
    "a Sid twice": {"statements": [{"sid": "k", **ONE}, {"sid": "k", **ONE}]},
    "a Sid in two sources": {"sourcePolicyDocuments": ['{"Statement":[{"Sid":"k"}]}'] * 2},
    "two principals of one type": {"statements": [{"principals": [principal("AWS", "a"), principal("AWS", "b")]}]},
    "two conditions on one variable": {
        "statements": [{"conditions": [{"test": "t", "variable": "v", "values": ["1"]}] * 2}]
    },
    "a variable in an old version": {"version": "2008-10-17", "statements": [{"resources": ["&{x}"]}]},
    "a version that is none": {"version": "2020-01-01"},
    "a source that is no JSON": {"sourcePolicyDocuments": ["{"]},
    "a source that is a list": {"sourcePolicyDocuments": ["[]"]},
    "a source with one statement for a list": {"sourcePolicyDocuments": ['{"Statement":{}}']},
    "a principal of another kind": {"sourcePolicyDocuments": ['{"Statement":[{"Principal":3}]}']},
    "arguments that are no longer used": {"sourceJson": "{}"},
    "actions that are a text": {"statements": [{"actions": "s3:*"}]},
    "a principal without a type": {"statements": [{"principals": [{"identifiers": ["a"]}]}]},
}


@pytest.mark.parametrize("args", list(NOT_TOLD.values()), ids=list(NOT_TOLD))
def test_what_the_provider_refuses_or_orders_by_hash_is_not_answered(args: dict[str, Any]) -> None:
    assert document(**args) is None


def test_a_google_policy_joins_members_and_sorts() -> None:
    bindings = [
        {"role": "roles/viewer", "members": ["user:b", "user:a"]},
        {"role": "roles/admin", "members": ["user:<c>"]},
        {"role": "roles/viewer", "members": ["user:a", "user:z"]},
    ]
    found = builtin_answers().answer("gcp:organizations/getIAMPolicy:getIAMPolicy", {"bindings": bindings})
    assert found is not None
    assert found["policyData"] == (
        '{"bindings":[{"members":["user:\\u003cc\\u003e"],"role":"roles/admin"},'
        '{"members":["user:a","user:b","user:z"],"role":"roles/viewer"}]}'
    )


@pytest.mark.parametrize(
    "args",
    [
        {"bindings": [{"role": "r", "members": ["m"], "condition": {"title": "t", "expression": "e"}}]},
        {"auditConfigs": [{"service": "allServices"}]},
    ],
)
def test_a_google_policy_that_is_ordered_by_hash_is_not_answered(args: dict[str, Any]) -> None:
    assert builtin_answers().answer("gcp:organizations/getIAMPolicy:getIAMPolicy", args) is None
