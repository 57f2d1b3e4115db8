"""The password files that the fence agent of this node reads, one per BMC, for root only.

The passwords come from the pillar; no function takes or returns one.
"""

import os
import tempfile
from pathlib import Path

from hadb_core import document, ipmi_passwords

__virtualname__ = "bmcpasswords"


def __virtual__() -> str:
    return __virtualname__


def passwords(wanted: dict[str, str], directory: str = ipmi_passwords.DIRECTORY) -> dict[str, str | None]:
    """Return how the password files compare with the pillar; never a password.

    wanted
        Address -> the pillar key of its password.
    directory
        Where the files are.

    Address -> ``the pillar's password``, ``another password``, ``readable by others`` or ``None``; the
    directory itself under ``"."``.

    CLI Example:

    .. code-block:: bash

        salt db1 bmcpasswords.passwords '{10.20.0.101: "hadb:nodes:db1:bmc:password"}'
    """
    folder = Path(directory)
    if not folder.is_dir():
        return dict.fromkeys((".", *wanted))
    private = _is_private(folder, ipmi_passwords.DIRECTORY_MODE)
    found: dict[str, str | None] = {".": ipmi_passwords.EQUAL if private else ipmi_passwords.EXPOSED}
    for address in {*wanted, *(file.name for file in folder.iterdir())}:
        found[address] = _compare(folder / address, wanted.get(address))
    return found


def make_directory(directory: str = ipmi_passwords.DIRECTORY) -> None:
    """Make the directory of the password files, for root only.

    directory
        Its path.

    CLI Example:

    .. code-block:: bash

        salt db1 bmcpasswords.make_directory /etc/hadb/bmc
    """
    Path(directory).mkdir(mode=ipmi_passwords.DIRECTORY_MODE, parents=True, exist_ok=True)
    Path(directory).chmod(ipmi_passwords.DIRECTORY_MODE)
    os.chown(directory, 0, 0)


def write_password(address: str, pillar_key: str, directory: str = ipmi_passwords.DIRECTORY) -> None:
    """Write a BMC's password from the pillar into its file, for root only.

    address
        The BMC's address, also the file's name.
    pillar_key
        Where the pillar has the password: ``hadb:nodes:db1:bmc:password``.
    directory
        Where the files are.

    CLI Example:

    .. code-block:: bash

        salt db1 bmcpasswords.write_password 10.20.0.101 hadb:nodes:db1:bmc:password
    """
    # mkstemp: 0600 from the first byte.
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=f".{address}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{document.secret(__pillar__, pillar_key)}\n")
        file.flush()
        os.fsync(handle)
    Path(temporary).replace(Path(directory, address))


def remove_password(address: str, directory: str = ipmi_passwords.DIRECTORY) -> None:
    """Remove the password file of a BMC that is not in the pillar any more.

    address, directory
        As in :func:`write_password`.

    CLI Example:

    .. code-block:: bash

        salt db1 bmcpasswords.remove_password 10.20.0.109
    """
    Path(directory, address).unlink(missing_ok=True)


def _compare(file: Path, pillar_key: str | None) -> str | None:
    try:
        content = file.read_text(encoding="utf-8")
        private = _is_private(file, ipmi_passwords.FILE_MODE)
    except FileNotFoundError:
        return ipmi_passwords.ABSENT
    if pillar_key is None or content != f"{document.secret(__pillar__, pillar_key)}\n":
        return ipmi_passwords.OTHER
    return ipmi_passwords.EQUAL if private else ipmi_passwords.EXPOSED


def _is_private(path: Path, mode: int) -> bool:
    status = path.stat()
    return status.st_mode & 0o7777 == mode and status.st_uid == 0
