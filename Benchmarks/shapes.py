"""How a server writes a record: csvlog and jsonlog of PostgreSQL 15, stderr with a usual prefix, PgBouncer 1.18.

Records are dicts; texts may hold slots \\0k\\0, which the generator fills later and no shape may escape.
"""
import json


def csv(r):
    quote = lambda text: '"' + text.replace('"', '""') + '"' if text else ""
    where = quote(f"{r['host']}:{r['port']}")
    return ",".join((
        f"{r['time']} UTC", quote(r["user"]), quote(r["database"]), r["pid"], where, f"{r['start_hex']}.{r['pid_hex']}",
        str(r["line"]), f'"{r["tag"]}"', f"{r['start']} UTC", r["vxid"], "0", r["severity"], r["state"], quote(r["message"]),
        quote(r["detail"]), "", "", "", "", quote(r["query"]), "", "", f'"{r["app"]}"', quote(r["kind"]), "", "0")) + "\n"


def text(value):
    return json.dumps(value, ensure_ascii=False).replace("\\u0000", "\0")


def jsonlog(r):
    out = [f'"timestamp":"{r["time"]} UTC"']
    out += [f'"{key}":{text(r[name])}' for key, name in (("user", "user"), ("dbname", "database")) if r[name]]
    out += [f'"pid":{r["pid"]}', f'"remote_host":"{r["host"]}","remote_port":{r["port"]}',
            f'"session_id":"{r["start_hex"]}.{r["pid_hex"]}","line_num":{r["line"]}']
    out += [f'"ps":{text(r["tag"])}'] if r["tag"] else []
    out += [f'"session_start":"{r["start"]} UTC"'] + ([f'"vxid":"{r["vxid"]}"'] if r["vxid"] else [])
    out += [f'"txid":0,"error_severity":"{r["severity"]}"'] + ([f'"state_code":"{r["state"]}"'] if r["state"] != "00000" else [])
    out += [f'"{key}":{text(r[name])}' for key, name in
            (("message", "message"), ("detail", "detail"), ("statement", "query"), ("application_name", "app")) if r[name]]
    return "{" + ",".join(out) + f',"backend_type":{text(r["kind"])},"query_id":0' + "}\n"


def stderr(r):
    """log_line_prefix = '%m [%p]: [%l-1] %e %i session=%c,user=%u,db=%d,app=%a,client=%r '"""
    name = lambda key: r[key] or "[unknown]"
    prefix = (f"{r['time']} UTC [{r['pid']}]: [{r['line']}-1] {r['state']} {r['tag']} session={r['start_hex']}.{r['pid_hex']},"
              f"user={name('user')},db={name('database')},app={name('app')},client={r['host']}({r['port']}) ")
    lines = [(r["severity"], r["message"]), ("DETAIL", r["detail"]), ("STATEMENT", r["query"])]
    return "".join(f"{prefix}{word}:  " + what.replace("\n", "\n\t") + "\n" for word, what in lines if what)


def pgbouncer(r):
    """What the pooler says of a record of the server's: its own lines, or none."""
    who = f"C-0x55d0{r['pid_hex']:0>8}: {r['database']}/{r['user']}@{r['host']}:{r['port']}"
    if r["message"].startswith("connection authorized"):
        said = [f"LOG {who} login attempt: db={r['database']} user={r['user']} tls=TLSv1.3/TLS_AES_256_GCM_SHA384"]
    elif r["message"].startswith("disconnection"):
        said = [f"LOG {who} closing because: client close request (age=1s)"]
    elif r["state"] == "28P01":
        said = [f"LOG {who} login attempt: db={r['database']} user={r['user']} tls=no",
                f"LOG {who} closing because: SASL authentication failed (age=0s)", f"WARNING {who} pooler error: SASL authentication failed"]
    elif r["message"].startswith("duration") and r["line"] % 8 == 0:
        said = ["LOG stats: 512 xacts/s, 1733 queries/s, in 318812 B/s, out 1204411 B/s, xact 1811 us, query 402 us, wait 7 us"]
    else:
        said = []
    return "".join(f"{r['time']} UTC [4711] {line}\n" for line in said)


SHAPES = {"csv": csv, "json": jsonlog, "stderr": stderr, "pgbouncer": pgbouncer}
