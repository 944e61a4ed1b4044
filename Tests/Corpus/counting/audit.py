"""What must be found in the files of pgauditlogtofile, csv (1.5, 1.6) and json (1.8).

Their csv quotes neither names nor messages, so lines are looked at where nothing that a client wrote stands.
"""
import collections
import json
import re

from . import rows as log_rows, server

# ...,host:port,session,line,tag,session start,vxid,xid,00000,SESSION,statement,substatement,class,command,...
AUDITED = re.compile(rb",00000,(?:SESSION|OBJECT),\d+,\d+,([A-Z]+),([^,]*),")
# ...,host:port,session,line,authentication,session start,vxid,xid,00000,connection authorized: user=...
AUTHORIZED = re.compile(rb",([^,]*),([\da-f]+\.[\da-f]+),\d+,authentication,[^,]*,[^,]*,\d+,00000,"
                        rb"(?:replication )?connection authorized: user=([^ ,]*)")
REFUSED = re.compile(rb",([\da-f]+\.[\da-f]+),\d+,startup,[^,]*,[^,]*,\d+,(?!00000)[\dA-Z]{5},")
# ...,pid,host:port,session,line,tag,session start,...
OTHER = re.compile(rb",\d+,[^,]*,([\da-f]+\.[\da-f]+),\d+,([^,]*),\d{4}-\d\d-\d\d ")
JSON_AUTHORIZED = re.compile(r"(?:replication )?connection authorized: ")


def is_json(file):
    return file.path.read_bytes()[:1] == b"{"


def lines(file):
    return [line for line in file.path.read_bytes().split(b"\n") if line]


def json_records(file):
    return [json.loads(line.decode("utf-8", "doubledbackslash")) for line in lines(file)]


def audited(file):
    if is_json(file):
        return collections.Counter(
            f"{record['custom.class']}|{record['custom.command']}" for record in json_records(file)
            if "custom.audit_type" in record)
    return collections.Counter(
        f"{found[1].decode()}|{found[2].decode()}" for line in lines(file) if (found := AUDITED.search(line)))


def without_port(peer):
    return peer if peer.startswith("[local]") else peer.rpartition(":")[0]


def logins(file):
    """Who was authorized, by session, and the sessions that were refused afterwards as far as this file tells.

    A refusal may stand in the server's own log: a login counts when this file has more of its session.
    """
    admitted, refused, active = {}, set(), set()
    if is_json(file):
        for record in json_records(file):
            tag, session = record.get("custom.command_tag"), record["custom.session_id"]
            if tag == log_rows.STARTUP and record["custom.state_code"] != "00000":
                refused.add(session)
            elif tag == log_rows.AUTHENTICATION and JSON_AUTHORIZED.match(record["content"]):
                admitted[session] = f"{record['net.peer.name']}|{record['db.user']}"
            elif tag != log_rows.AUTHENTICATION and session in admitted:
                active.add(session)
    for line in lines(file):
        if login := AUTHORIZED.search(line):
            admitted[login[2].decode()] = f"{without_port(login[1].decode())}|{login[3].decode()}"
        elif session := REFUSED.search(line):
            refused.add(session[1].decode())
        elif (session := OTHER.search(line)) and session[2] != b"authentication":
            active |= {session[1].decode()} & admitted.keys()
    return {session: actor for session, actor in admitted.items() if session in active}, refused


def successes(admitted, refused):
    return collections.Counter(actor for session, actor in admitted.items() if session not in refused)


def failures(run):
    """The refused logins that are not in the server's log."""
    attempts = server.Attempts(run)
    for file in run.of_kind("csv"):
        server.failures(log_rows.read(file), attempts)
    return attempts.rest()


def expected(run, file):
    measures = {"failures": failures(run), "successes": successes(*logins(file)), "audit": audited(file)}
    known = run.summary["files"][file.name]
    if known["audit_records"] != sum(measures["audit"].values()):
        raise SystemExit(f"{run.name}/{file.name}: truth-summary.json counts {known['audit_records']} audit records")
    if "records" in known:
        measures["records"] = known["records"]
    return measures
