# The main process of a stage's container, as root: prepares, says what there is, and waits for the
# end of its standard input, which `pipe` holds open. When `pipe` goes, whatever way, it ends, and
# the container with it.
# $1 and $2: the numbers of the user and the group of the stage's commands; $3: a home for them; the
# rest: volumes that shall be theirs.
if [ "${1:-0}" != 0 ]; then
  user=$1 group=$2 home=$3 known=
  shift 2
  for volume; do
    { chown "$user:$group" "$volume" || chmod 1777 "$volume"; } 2>/dev/null
  done
  if [ -r /etc/passwd ]; then
    while IFS=: read -r _ _ number _; do
      if [ "$number" = "$user" ]; then known=yes; fi
    done </etc/passwd
  fi
  if [ -z "$known" ]; then
    # Programs like ssh want to know who they are.
    { [ -d /etc ] || mkdir /etc; } 2>/dev/null
    { echo "pipe:x:$user:$group::$home:/bin/sh" >>/etc/passwd; } 2>/dev/null
    echo home
  fi
fi
if command -v bash >/dev/null 2>&1; then echo bash; fi
if (set -o pipefail) 2>/dev/null; then echo pipefail; fi
echo ready
while read -r _; do :; done
