# Sends the signal $1 to every process that bears the mark $2.
for process in /proc/[0-9]*/environ; do
  case "$(cat "$process")" in
  *"PIPE_STEP=$2"*)
    process=${process#/proc/}
    kill "-$1" "${process%/environ}"
    ;;
  esac
done 2>/dev/null
