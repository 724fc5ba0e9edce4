# Completion of ablate for bash: source <(ablate completion bash), for good in ~/.bashrc.

_ablate() {
    local word about
    COMPREPLY=()
    while IFS=$'\t' read -r word about; do
        case $word in
        :files | :dirs)
            compopt -o filenames 2>/dev/null # bash 3 has no compopt, and completes all the same
            local kind=-f cur=${COMP_WORDS[COMP_CWORD]}
            [[ $word == :dirs ]] && kind=-d
            [[ $cur == "=" ]] && cur=
            while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$kind" -- "$cur")
            ;;
        *) COMPREPLY+=("$word") ;;
        esac
    done < <("${COMP_WORDS[0]/#\~/$HOME}" complete-words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -F _ablate ablate
