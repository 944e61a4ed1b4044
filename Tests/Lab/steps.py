"""steps.py: plays steps from standard input, a JSON list, and prints what came of each.

["run", FILE or "", COMMAND...]  runs a command with the file as its input: its output, or "failed: " and its errors
["listen", PORT]                 answers every connection on loopback with what it sends
["connect", ADDRESS, PORT]       a TCP connection from that address: "open", "dropped" (no answer in a second), "refused"
["talk", ADDRESS, PORT]          sends a line and reads one: "answered" or "closed"
["hold", ADDRESS, PORT]          the same, and keeps the connection open
["again"]                        sends another line over the connection that was kept
["socket", PATH, FILE]           sends a file to a Unix socket: the reply
["wait", SECONDS]
["stage", COMMAND...]            starts a command and goes on; it is stopped at the end
["until", TEXT, COMMAND...]      runs a command until its output holds the text, at most a minute: "yes", or the output
"""
import json, socket, subprocess, sys, threading, time

held, stage = [], []


def serve(listener):
    def echo(client):
        with client:
            while data := client.recv(100):
                client.sendall(data)

    while True:
        threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def dial(address, port, patience=1):
    client = socket.socket()
    client.settimeout(patience)
    client.bind((address, 0))
    client.connect(("127.0.0.1", port))
    return client


def exchange(client):
    try:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return "answered" if client.recv(100) else "closed"
    except OSError:
        return "closed"


def command(words, name=""):
    with open(name or "/dev/null") as file:
        done = subprocess.run(words, stdin=file, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else "failed: " + done.stderr


def until(text, *words):
    end = time.monotonic() + 60
    while text not in (output := command(words)):
        if time.monotonic() > end:
            return output
        time.sleep(0.1)
    return "yes"


def play(kind, *words):
    if kind == "run":
        return command(words[1:], words[0])
    if kind == "listen":
        listener = socket.create_server(("0.0.0.0", int(words[0])))
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        return "yes"
    if kind in ("connect", "talk", "hold"):
        try:
            client = dial(words[0], int(words[1]), 1 if kind == "connect" else 10)
        except TimeoutError:
            return "dropped"
        except OSError:
            return "refused" if kind == "connect" else "closed"
        if kind == "hold":
            held.append(client)
        return "open" if kind == "connect" else exchange(client)
    if kind == "again":
        held[-1].settimeout(2)
        return exchange(held[-1])
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as client, open(words[1], "rb") as file:
            client.connect(words[0])
            client.sendall(file.read())
            return client.makefile().read()
    if kind == "wait":
        return time.sleep(float(words[0]))
    if kind == "stage":
        return stage.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=2))
    if kind == "until":
        return until(*words)


try:
    print(json.dumps([play(*step) for step in json.load(sys.stdin)]))
finally:
    for process in stage:
        process.terminate()
        process.wait(30)
