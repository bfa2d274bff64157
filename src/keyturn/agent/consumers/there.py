"""A file of another machine, over SSH: read, and replaced whole. That machine needs a shell and GNU coreutils, no
Keyturn."""

from collections.abc import Sequence

from keyturn.agent.consumers.commands import run
from keyturn.agent.consumers.settings import LONGEST, FileConsumer
from keyturn.model.errors import Unavailable
from keyturn.model.secret import Secret

_READ = 'if [ -e "$1" ]; then printf + && head -c "$2" -- "$1"; fi'
"""A sign before the content tells an empty file from none."""

_REPLACE = """
set -eu
path=$1 owner=$2 group=$3 mode=$4
folder=$(dirname -- "$path") name=$(basename -- "$path")
umask 077
rm -f -- "$folder/.$name.keyturn".*
fresh=$(mktemp -- "$folder/.$name.keyturn.XXXXXXXX")
trap 'rm -f -- "$fresh"' EXIT
trap 'exit 1' HUP INT TERM PIPE
read -r size
cat > "$fresh"
[ "$(wc -c < "$fresh")" -eq "$size" ] || { echo "what arrived was cut short" >&2; exit 1; }
if [ -e "$path" ]; then
    chown --reference="$path" -- "$fresh"
    chmod --reference="$path" -- "$fresh"
fi
[ -z "$owner$group" ] || chown -- "$owner${group:+:$group}" "$fresh"
[ -z "$mode" ] || chmod -- "$mode" "$fresh"
sync -- "$fresh"
mv -fT -- "$fresh" "$path"
sync -- "$folder"
"""
"""Standard input is the number of bytes in a line of its own, then the bytes: whoever lists the processes there learns
not even how long a password is. A connection that is cut leaves the old file; what a killed shell leaves beside it is
taken away by the next."""


def read(consumer: FileConsumer) -> Secret | None:
    """As `here.read`."""
    found = _shell(consumer, _READ, (str(consumer.path), str(LONGEST + 2)), None).reveal()
    if len(found) > LONGEST + 1:
        raise Unavailable(f"{consumer.title}: File too large")
    return Secret(found[1:]) if found else None


def replace(consumer: FileConsumer, content: Secret) -> None:
    """Where the answer is lost the file may be the new one: whole in either case."""
    mode = f"{consumer.mode:o}" if consumer.mode is not None else ""
    words = (str(consumer.path), consumer.owner or "", consumer.group or "", mode)
    entered = Secret(f"{len(content.reveal())}\n{content.reveal()}")
    _shell(consumer, _REPLACE, words, entered)


def _shell(consumer: FileConsumer, script: str, words: Sequence[str], entered: Secret | None) -> Secret:
    command = ("sh", "-c", script, "keyturn", *words)
    ran = run(command, timeout_s=consumer.timeout_s, stdin=entered, hide=entered, on=consumer.on)
    if not ran.ok:
        raise Unavailable(f"{consumer.title}: {ran.said}")
    return ran.printed
