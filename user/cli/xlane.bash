# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2207 # words without spaces
# xlane.bash - completion of xlane and xlaned for bash. What commands and options there are, the programs themselves say.

_xlane_commands() { "$1" -h 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'; }
_xlane_options() { "$@" -h 2>/dev/null | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+|^ +-[a-zA-Z] ' | grep -oE -- '--[a-z-]+|-[a-zA-Z] *$'; }
_xlane_interfaces() { ls /sys/class/net 2>/dev/null; }

# The words that an option takes. 1: it takes none, or is not known; 2: a file.
_xlane_values() { # COMMAND OPTION
	case $2 in
	-i | --interface) _xlane_interfaces ;;
	--driver) echo auto af_xdp af_packet ;;
	--wait) echo adaptive spin sleep ;;
	--absent) echo pass drop ;;
	--mode | -m) echo auto native skb ;;
	--type | -t) echo message unordered datagram stream ;;
	--view) echo workers conns peers ;;
	-w) [ "$1" = top ] && echo workers conns peers ;;
	--log-level) echo error warning info debug ;;
	--attach) echo auto never ;;
	--zero-copy) echo auto on off ;;
	--need-wakeup | --crc) echo yes no ;;
	--socket | --pcap | --config) return 2 ;;
	--json) [ "$1" = cat ] && return 2 || return 1 ;;
	-c) [ "$1" = xlaned ] && return 2 ;;
	-k | -l | -d | -h | -j | -v | -a | -b | -V | --*listen | --keep | --daemon | --help | --verbose | --all | --batch | --replace | \
		--no-crc | --progress | --no-progress | --check | --version) return 1 ;;
	-*) ;;
	*) return 1 ;;
	esac
	return 0
}

_xlane_take() { # COMMAND OPTION WORD: complete the argument of OPTION; fails when it takes none
	local values status
	values=$(_xlane_values "$1" "$2")
	status=$?
	[ $status = 1 ] && return 1
	if [ $status = 2 ]; then
		COMPREPLY=($(compgen -f -- "$3"))
	else
		COMPREPLY=($(compgen -W "$values" -- "$3"))
	fi
}

_xlane() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		COMPREPLY=($(compgen -W "$(_xlane_commands "${COMP_WORDS[0]}") -h --help --version" -- "$word"))
	elif _xlane_take "$command" "$before" "$word"; then
		:
	elif [[ $word == -* ]]; then
		COMPREPLY=($(compgen -W "$(_xlane_options "${COMP_WORDS[0]}" "$command")" -- "$word"))
	else
		case $command in
		attach | detach | status) COMPREPLY=($(compgen -W "$(_xlane_interfaces)" -- "$word")) ;;
		esac
	fi
}

_xlaned() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	if _xlane_take xlaned "$before" "$word"; then
		:
	elif [[ $word == -* ]]; then
		COMPREPLY=($(compgen -W "$(_xlane_options "${COMP_WORDS[0]}")" -- "$word"))
	fi
}

complete -F _xlane xlane
complete -F _xlaned xlaned
