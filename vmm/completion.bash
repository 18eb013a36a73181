# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# completion.bash - completion of vmm's command line in bash.
#
# Options and protocols are asked of the program that is being called, so they are
# those of its version; words of an option are those of vmm(1).

# _vmm_list WORD CHOICES: completes the last name of a list with commas.
_vmm_list() {
	local before=

	case $1 in
	*,*) before=${1%,*}, ;;
	esac
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$2" -- "${1##*,}")
	compopt -o nospace 2>/dev/null || :
}

# _vmm_files -f|-d WORD: files or folders.
_vmm_files() {
	mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
	compopt -o filenames 2>/dev/null || :
}

_vmm() {
	local vmm=$1 word=$2 before=$3

	COMPREPLY=()
	# Bash breaks words at =: `--option=val` comes as three.
	if [ "$word" = = ]; then
		word=
	elif [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $before in
	--protocol)
		_vmm_list "$word" "safe all $("$vmm" --list-protocols 2>/dev/null | sed 's/ .*//')"
		return
		;;
	--preempt) mapfile -t COMPREPLY < <(compgen -W 'slice random at-step host' -- "$word") ;;
	at-step) _vmm_list "$word" 'posted read flushed served publish walk' ;;
	--on) mapfile -t COMPREPLY < <(compgen -W 'auto kvm amd intel' -- "$word") ;;
	--workload) mapfile -t COMPREPLY < <(compgen -W 'toggle churn teardown' -- "$word") ;;
	--table-free) mapfile -t COMPREPLY < <(compgen -W 'now rcu' -- "$word") ;;
	--shadow-reclaim) mapfile -t COMPREPLY < <(compgen -W 'mode rcu counter' -- "$word") ;;
	--confine) mapfile -t COMPREPLY < <(compgen -W 'on log off' -- "$word") ;;
	--extra) _vmm_list "$word" 'exits flushes hgrm hist' ;;
	--entry-flush) mapfile -t COMPREPLY < <(compgen -W 'auto steal sregs' -- "$word") ;;
	--out) _vmm_files -d "$word" ;;
	--csv | --json | --trace) _vmm_files -f "$word" ;;
	*)
		case $word in
		-*)
			mapfile -t COMPREPLY < <(compgen -W "$("$vmm" --help 2>/dev/null |
				grep -o -e '--[a-z][a-z-]*' | sort -u)" -- "$word")
			;;
		*) _vmm_files -f "$word" ;;
		esac
		;;
	esac
}

complete -F _vmm vmm
