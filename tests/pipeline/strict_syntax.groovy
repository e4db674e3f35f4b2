// Prints every error that the strict parser of newer engines (nf-lang) finds in the given scripts and configurations.
import nextflow.config.control.ConfigParser
import nextflow.script.control.ScriptParser

def parsers = [nf: new ScriptParser(), config: new ConfigParser()]
args.each { name -> parsers[name.tokenize('.').last()].parse(new File(name)) }
parsers.values().each { parser ->
    parser.analyze()
    parser.compiler().sources.values().each { source ->
        source.errorCollector.errors.each { message -> println "${source.name}: ${message.cause.message}" }
    }
}
