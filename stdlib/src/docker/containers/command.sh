# Runs one command of a stage, and ends what it leaves behind.
# $1: the folder it starts in; $2: the programs that may run it, the first one there does; then its
# arguments. PIPE_STEP marks its processes.
pipe_end() {
  pipe_left=1
  for pipe_of in /proc/[0-9]*/environ; do
    pipe_of=${pipe_of#/proc/}
    pipe_of=${pipe_of%/environ}
    if [ "$pipe_of" = "$$" ]; then continue; fi
    case "$(cat "/proc/$pipe_of/environ")" in
    *"PIPE_STEP=$PIPE_STEP"*) if kill "-$1" "$pipe_of"; then pipe_left=0; fi ;;
    esac
  done 2>/dev/null
  return $pipe_left
}
cd "$1" || exit 126
pipe_programs=$2
pipe_program=
shift 2
for pipe_of in $pipe_programs; do
  if command -v "$pipe_of" >/dev/null 2>&1; then
    pipe_program=$pipe_of
    break
  fi
done
if [ -z "$pipe_program" ]; then
  echo "the image has none of: $pipe_programs" >&2
  exit 127
fi
# It goes on to the end when the command is told to end.
trap : TERM
"$pipe_program" "$@"
pipe_status=$?
if pipe_end TERM; then
  sleep 1
  pipe_end KILL
fi
exit $pipe_status
