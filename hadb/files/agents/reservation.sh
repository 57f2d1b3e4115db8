# Managed by Salt (hadb). SCSI-3 persistent reservations, read by ocf:hadb:lvm and fence_hadb_reservation after agent.sh.
#
# A LUN is reserved for who is registered: everybody reads, registrants write (type 5), and only the node that has the volume
# is registered, on each of its paths. Whoever takes the volume over preempts the former owner's key: from then on the array
# itself refuses what that node still writes, whether it is dead, frozen, or only said to be off.
#
# sg_persist and not mpathpersist: one command, one path, one answer. mpathpersist hides which path failed, needs a living
# multipathd, and counts a path that is away as success or failure depending on its release.
PR_TYPE=5
block=${HADB_SYS_CLASS_BLOCK:-/sys/class/block}
devices=${HADB_DEV:-/dev}

# own_key HOST=KEY...: sets $own to this host's key and $known to everybody's; false when this host has none.
own_key() {
    own='' known=''
    read -r own_host </proc/sys/kernel/hostname
    for own_pair; do
        known="$known ${own_pair#*=}"
        [ "${own_pair%%=*}" != "$own_host" ] || own=${own_pair#*=}
    done
    [ "$own" ]
}

# find_paths DEVICE: sets $paths to the disks below a physical volume that the kernel can reach now, and $maps to the
# multipath maps between; false when something below it is no SCSI disk.
find_paths() {
    paths='' maps=''
    find_device=$(readlink -f "$1")
    find_below "${find_device##*/}"
}

find_below() {
    if [ -e "$block/$1/partition" ]; then
        find_disk=$(readlink -f "$block/$1")
        find_disk=${find_disk%/*}
        find_below "${find_disk##*/}"
        return
    fi
    { read -r find_uuid <"$block/$1/dm/uuid"; } 2>/dev/null || find_uuid=
    case $find_uuid in
        mpath-*) read -r find_name <"$block/$1/dm/name" && maps="$maps $find_name" ;;
    esac
    find_name=$1
    set -- "$block/$1/slaves"/*
    if [ -e "$1" ]; then
        for find_slave; do
            find_below "${find_slave##*/}" || return 1
        done
        return 0
    fi
    { read -r find_state <"$block/$find_name/device/state"; } 2>/dev/null || return 1
    [ "$find_state" != running ] || paths="$paths $find_name"
}

# persist WORDS...: sets $said. A unit attention, or a LUN that is not ready for a moment, is asked again.
persist() {
    for persist_left in 2 1 0; do
        said=$(sg_persist --no-inquiry "$@" 2>&1 </dev/null)
        persist_code=$?
        case $persist_code in
            0) return 0 ;;
            24) return 24 ;; # a conflict is an answer
        esac
        [ "$persist_left" = 0 ] || sleep 0.1
    done
    return "$persist_code"
}

# read_keys PATH: sets $keys, one word for each registration.
read_keys() {
    persist --in --read-keys "$devices/$1" || return 1
    find_keys
}

find_keys() {
    keys=
    case $said in *"PR generation="*) ;; *) return 1 ;; esac
    while read -r keys_word _; do
        case $keys_word in 0x*) keys="$keys $keys_word" ;; esac
    done <<END
$said
END
}

# read_holder PATH: sets $holder to the key that holds the reservation, to `none`, or to `other` for one of another type.
read_holder() {
    persist --in --read-reservation "$devices/$1" || return 1
    find_holder
}

find_holder() {
    case $said in
        *"NO reservation held"*) holder=none ;;
        *Key=0x*"Write Exclusive, registrants only"*)
            holder=${said#*Key=}
            holder=${holder%%[!0-9a-fx]*}
            ;;
        *Key=0x*) holder=other ;;
        *) return 1 ;;
    esac
}

# answering COMMAND...: true as soon as one of $paths answers; the command gets the path as its last word.
answering() {
    for answering_path in $paths; do
        ! "$@" "$answering_path" || return 0
    done
    return 1
}

# one_of WORD LIST
one_of() {
    case " $2 " in *" $1 "*) ;; *) false ;; esac
}

# register PATH: whatever this nexus was registered with. A reservation that outlives the array's own power loss (APTPL) is
# not to be had from every array.
register() {
    persist --out --register-ignore --param-sark="$own" --param-aptpl "$devices/$1" ||
        persist --out --register-ignore --param-sark="$own" "$devices/$1"
}

# take DEVICE: makes this node the only one that writes to a physical volume; false with $why. Safe to do again.
take() {
    find_paths "$1" || { why="what is below $1 is no SCSI disk, so it knows no reservations" && return 1; }
    [ "$paths" ] || { why="no path to $1 is usable" && return 1; }
    answering read_keys || { why="the reservation keys of $1 cannot be read: $said" && return 1; }
    for take_key in $keys; do
        one_of "$take_key" "$known" || {
            why="$1 is registered for the key $take_key, which is no node's of this cluster: somebody else uses it"
            return 1
        }
    done
    take_way=
    for take_path in $paths; do
        register "$take_path" || {
            why="this node cannot be registered on path $take_path of $1: $said"
            # A path that has just died is no reason, it is not used: registered again by multipathd when it returns.
            take_before=$paths
            find_paths "$1"
            ! one_of "$take_path" "$paths" || return 1
            paths=$take_before
            continue
        }
        take_way=$take_path
    done
    [ "$take_way" ] || return 1
    take_gone=$own
    for take_key in $keys; do
        one_of "$take_key" "$take_gone" && continue
        take_gone="$take_gone $take_key"
        persist --out --preempt-abort --param-rk="$own" --param-sark="$take_key" --prout-type=$PR_TYPE "$devices/$take_way" || {
            why="the key $take_key cannot be preempted on $1: $said"
            return 1
        }
    done
    # Whoever preempts the holder has the reservation already.
    confirm "$1" || {
        persist --out --reserve --param-rk="$own" --prout-type=$PR_TYPE "$devices/$take_way"
        confirm "$1" || return 1
    }
    for take_map in $maps; do
        register_later "$take_map" </dev/null >/dev/null 2>&1 &
    done
}

# register_later MAP: lets multipathd register a path that comes back before it is used. It may be busy with a dead one.
register_later() {
    timeout 30 multipathd setprstatus map "$1" || log warning "multipathd does not take the reservation of $1"
}

# confirm DEVICE: reads back that this node has the reservation and nobody else is registered; false with $why.
confirm() {
    answering read_keys && answering read_holder || { why="the reservation of $1 cannot be read back: $said" && return 1; }
    for confirm_key in $keys; do
        [ "$confirm_key" = "$own" ] || { why="$confirm_key is registered on $1 beside this node's $own" && return 1; }
    done
    [ "$holder" = "$own" ] || { why="$1 is reserved by '$holder', not by this node's $own" && return 1; }
}

# leave DEVICE: gives up this node's registration; with its holder's path goes the reservation. False when it is registered still.
leave() {
    find_paths "$1" || return 1
    for leave_map in $maps; do
        timeout 30 multipathd unsetprstatus map "$leave_map" </dev/null >/dev/null 2>&1
    done
    for leave_path in $paths; do
        persist --out --register --param-rk="$own" --param-sark=0 "$devices/$leave_path"
    done
    answering read_keys && ! one_of "$own" "$keys"
}
