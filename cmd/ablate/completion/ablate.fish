# Completion of ablate for fish: ablate completion fish | source, for good as ~/.config/fish/completions/ablate.fish.

function __ablate_complete
    set -l words (commandline -opc)
    set -l cur (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    for line in ($program complete-words -- $words[2..-1] "$cur" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$cur"
            case :dirs
                __fish_complete_directories "$cur"
            case '*'
                echo $line
        end
    end
end

complete -c ablate -f -a '(__ablate_complete)'
