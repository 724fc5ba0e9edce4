#compdef ablate
# Completion of ablate for zsh: behind compinit, source <(ablate completion zsh); or a file _ablate in a folder of $fpath.

_ablate() {
    local word about files dirs
    local -a replies
    while IFS=$'\t' read -r word about; do
        case $word in
        :files) files=1 ;;
        :dirs) dirs=1 ;;
        *) replies+=("${word//:/\\:}${about:+:$about}") ;;
        esac
    done < <("${words[1]/#\~/$HOME}" complete-words -- "${(@)words[2,CURRENT]}" 2>/dev/null)
    local found=1
    (( $#replies )) && _describe -V 'ablate' replies && found=0
    [[ -n $files ]] && _files && found=0
    [[ -n $dirs ]] && _files -/ && found=0
    return found
}

if [[ $funcstack[1] == _ablate ]]; then
    _ablate "$@"
else
    compdef _ablate ablate
fi
