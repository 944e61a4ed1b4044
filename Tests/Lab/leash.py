"""leash.py SIGNAL COMMAND...: runs a server until standard input ends, as it does when the test dies, then stops it."""
import signal, subprocess, sys

# A thread of the tests has nearly all signals blocked, and its children inherit that.
signal.pthread_sigmask(signal.SIG_SETMASK, [])
server = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL)
sys.stdin.buffer.read()
server.send_signal(signal.Signals["SIG" + sys.argv[1]])
try:
    sys.exit(server.wait(10))
except subprocess.TimeoutExpired:
    server.kill()
