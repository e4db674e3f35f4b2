"""A Slurm cluster of one node in a temporary folder, on the loopback network, stopped by process id."""

import os
import socket
import subprocess
import time
from pathlib import Path

CONFIG = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0
ReturnToService=2
KillWait=5
MinJobAge=300
MaxArraySize=1001
DefMemPerCPU=500
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={megabytes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
CGROUP = """CgroupPlugin=cgroup/{version}
CgroupAutomount=no
ConstrainRAMSpace=yes
"""


class Slurm:
    """Munge, the controller and one node.

    Parameters
    ----------
    folder
        Takes configuration, state and logs.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.host = socket.gethostname().partition(".")[0]
        self.node = f"node{os.getpid()}"  # names its control groups too, which two clusters must not share
        self.running: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        """Write the configuration, start the three daemons and wait until the node takes jobs."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        version = "v2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "v1"
        self.config.write_text(
            CONFIG.format(
                host=self.host,
                node=self.node,
                folder=self.folder,
                ports=free_ports(2),
                cores=len(os.sched_getaffinity(0)),
                megabytes=pages * 9 // 10 // 2**20,
            )
        )
        (self.folder / "cgroup.conf").write_text(CGROUP.format(version=version))
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self._run(
            "munged",
            "--foreground",
            "--force",
            f"--socket={self.folder}/munge.socket",
            f"--key-file={key}",
            f"--pid-file={self.folder}/munged.pid",
            f"--seed-file={self.folder}/munged.seed",
            f"--log-file={self.folder}/munged.log",
        )
        self._run("slurmctld", "-D", "-i", "-f", self.config)
        self.start_node()
        self.wait_for(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"), 60)

    def start_node(self) -> None:
        """Start the daemon of the node."""
        self._run("slurmd", "-D", "-f", self.config, "-N", self.node)

    def stop_node(self) -> None:
        """Stop the daemon of the node; jobs go on."""
        self._stop("slurmd")

    def stop(self) -> None:
        """Cancel all jobs and stop the daemons."""
        if "slurmctld" in self.running:
            self.ask("scancel", "--user", "root", "--signal=KILL")
            self.ask("scancel", "--user", "root")
            self.wait_for(lambda: not self.ask("squeue", "-h"), 60)
        for name in reversed(list(self.running)):
            self._stop(name)
        for top in Path("/sys/fs/cgroup").glob(f"*/slurm_{self.node}"):  # Slurm leaves its empty groups behind
            for group in sorted((each for each in top.rglob("*") if each.is_dir()), reverse=True):
                group.rmdir()
            top.rmdir()

    @property
    def config(self) -> Path:
        return self.folder / "slurm.conf"

    def ask(self, *command: str) -> str:
        """Run one of Slurm's commands; return what it prints."""
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, env={**os.environ, "SLURM_CONF": str(self.config)}
        ).stdout.strip()

    def jobs(self, state: str = "RUNNING") -> dict[str, str]:
        """Return id and name of the jobs in a state."""
        lines = self.ask("squeue", "-h", "-t", state, "-o", "%i %j").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def wait_for(self, condition, seconds: float):
        """Wait until a condition holds; return what it returned."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.2)
        return found

    def logs(self) -> str:
        """Return the last lines of every daemon's log."""
        return "\n".join(f"{path.name}: {path.read_text()[-2000:]}" for path in self.folder.glob("*.out"))

    def _run(self, name: str, *arguments) -> None:
        with open(self.folder / f"{name}.out", "a") as log:
            self.running[name] = subprocess.Popen([name, *map(str, arguments)], stdout=log, stderr=subprocess.STDOUT)

    def _stop(self, name: str) -> None:
        process = self.running.pop(name)
        process.terminate()
        process.wait(timeout=60)


def free_ports(number: int) -> list[int]:
    """Return ports of the loopback network that nobody uses."""
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
