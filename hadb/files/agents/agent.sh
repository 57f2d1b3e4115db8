# Managed by Salt (hadb). Common part of hadb's resource agents (ocf:hadb:*), read by each of them; POSIX sh for dash.
#
# An agent sets $required (names of parameters), defines start, stop, monitor, validate and meta_data, and ends in
# `dispatch "$@"`. A fork costs milliseconds during a failover, so what can be read with the shell's own `read` and
# `test` is read that way: /proc, /sys, never a helper program. Nothing is logged when all is well.
set -u
OCF_SUCCESS=0
OCF_ERR_GENERIC=1
OCF_ERR_UNIMPLEMENTED=3
OCF_ERR_INSTALLED=5
OCF_ERR_CONFIGURED=6
OCF_NOT_RUNNING=7

export LC_ALL=C
agent=${0##*/}
instance=${OCF_RESOURCE_INSTANCE:-$agent}
level=${OCF_CHECK_LEVEL:-0}
# What agents must remember between two actions; gone after a boot, as what it speaks of.
state=${HADB_AGENT_STATE:-/run/hadb/agents}
mounts=${HADB_MOUNTS:-/proc/mounts}

# log LEVEL MESSAGE...: to the system log, without waiting for it.
log() {
    log_level=$1
    shift
    logger -p "daemon.$log_level" -t "$agent($instance)" -- "$*" </dev/null >/dev/null 2>&1 &
}

# fail CODE MESSAGE...: ends the action; the message is shown by crm_mon.
fail() {
    fail_code=$1
    shift
    log err "$*"
    echo "ocf-exit-reason:$*" >&2
    exit "$fail_code"
}

# Sets $now in hundredths of a second since boot.
clock() {
    read -r now _ </proc/uptime
    now=${now%.*}${now#*.}
}

# Sets $left: how many hundredths of a second this action still has.
time_left() {
    clock
    left=$((began + limit - now))
}

# wait_for HUNDREDTHS COMMAND...: asks until COMMAND is true; false when the time is up.
wait_for() {
    clock
    wait_end=$((now + $1))
    shift
    until "$@"; do
        clock
        [ "$now" -lt "$wait_end" ] || return 1
        sleep 0.05
    done
}

# lives PID: whether any thread of the process is left. Its first thread can be a zombie while another still waits
# for a dead disk and holds its files; only then the others are listed.
lives() {
    { read -r lives_stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    lives_stat=${lives_stat##*) }
    case $lives_stat in
        [ZX]*)
            set -- /proc/"$1"/task/*
            [ $# -gt 1 ]
            ;;
    esac
}

gone() {
    ! lives "$1"
}

# bounded SECONDS COMMAND...: 124 when the command did not end in time. timeout(1) waits for a command that it cannot
# kill, such as one that writes to a dead disk; this does not. What the command says is in $state/$instance.said.
bounded() {
    bounded_for=$1
    shift
    "$@" </dev/null >"$state/$instance.said" 2>&1 &
    bounded_pid=$!
    if wait_for "${bounded_for}00" gone "$bounded_pid"; then
        wait "$bounded_pid"
    else
        kill -KILL "$bounded_pid" 2>/dev/null
        return 124
    fi
}

# shut_down FLAGS: whether the kernel has given up a filesystem that is mounted with these flags after an error; since
# Linux 6.15 they say so beside a rw that lies, before it made it ro.
shut_down() {
    case ",$1," in *,emergency_ro,* | *,shutdown,*) ;; *) false ;; esac
}

# mapped VG [LV]: whether the kernel has this volume, or without LV any volume of the group, as a device.
# LVM doubles hyphens in names, so that the single one parts them: group a-b, volume c is a--b-c.
mapped() {
    doubled "$1"
    mapped_vg=$doubled
    mapped_lv=
    [ $# -lt 2 ] || { doubled "$2" && mapped_lv=$doubled; }
    for mapped_device in "${HADB_SYS_BLOCK:-/sys/block}"/dm-*/dm; do
        { read -r mapped_name <"$mapped_device/name" && read -r mapped_uuid <"$mapped_device/uuid"; } 2>/dev/null || continue
        case $mapped_uuid/$mapped_name in
            LVM-*/"$mapped_vg-$mapped_lv") return 0 ;;
            LVM-*/"$mapped_vg--"*) ;;
            LVM-*/"$mapped_vg-"*) [ "$mapped_lv" ] || return 0 ;;
        esac
    done
    return 1
}

# Sets $doubled.
doubled() {
    doubled=
    doubled_rest=$1
    while :; do
        case $doubled_rest in
            *-*)
                doubled=$doubled${doubled_rest%%-*}--
                doubled_rest=${doubled_rest#*-}
                ;;
            *)
                doubled=$doubled$doubled_rest
                return
                ;;
        esac
    done
}

# meta_begin SHORT LONG; then meta_parameter NAME REQUIRED TYPE DEFAULT TEXT for each; then meta_end and the actions,
# as NAME:TIMEOUT or NAME:TIMEOUT:INTERVAL:DEPTH (seconds). Texts hold no < and no &.
meta_begin() {
    echo '<?xml version="1.0"?>'
    echo '<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">'
    echo "<resource-agent name=\"$agent\" version=\"1.0\">"
    echo "<version>1.0</version>"
    echo "<longdesc lang=\"en\">$2</longdesc>"
    echo "<shortdesc lang=\"en\">$1</shortdesc>"
    echo "<parameters>"
}

meta_parameter() {
    echo "<parameter name=\"$1\" unique=\"0\" required=\"$2\">"
    echo "<longdesc lang=\"en\">$5</longdesc>"
    echo "<shortdesc lang=\"en\">${5%%[.;:,]*}</shortdesc>"
    if [ "$4" ]; then echo "<content type=\"$3\" default=\"$4\"/>"; else echo "<content type=\"$3\"/>"; fi
    echo "</parameter>"
}

meta_end() {
    echo "</parameters>"
    echo "<actions>"
    for meta_action in "$@" validate-all:20 meta-data:20; do
        meta_times=${meta_action#*:}
        case $meta_times in
            *:*:*) meta_more=" interval=\"${meta_times#*:}\"" && meta_more="${meta_more%%:*}\" depth=\"${meta_times##*:}\"" ;;
            *) meta_more= ;;
        esac
        echo "<action name=\"${meta_action%%:*}\" timeout=\"${meta_times%%:*}\"$meta_more/>"
    done
    echo "</actions>"
    echo "</resource-agent>"
}

dispatch() {
    action=${1-}
    case $action in
        meta-data)
            meta_data
            exit "$OCF_SUCCESS"
            ;;
        status) action=monitor ;;
        start | stop | monitor | validate-all) ;;
        *)
            echo "usage: $0 {start|stop|monitor|status|validate-all|meta-data}" >&2
            exit "$OCF_ERR_UNIMPLEMENTED"
            ;;
    esac
    clock
    began=$now
    limit=$((${OCF_RESKEY_CRM_meta_timeout:-60000} / 10))
    for parameter in $required; do
        eval "value=\${OCF_RESKEY_$parameter-}"
        [ "$value" ] || fail "$OCF_ERR_CONFIGURED" "parameter $parameter is not set"
    done
    [ -d "$state" ] || mkdir -p -m 0755 "$state"
    case $action in
        validate-all) validate ;;
        start) validate && start ;;
        *) "$action" ;;
    esac
    exit
}
