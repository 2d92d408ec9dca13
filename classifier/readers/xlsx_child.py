"""Child process that parses one workbook and writes its rows as JSON lines. Limited in memory and time; may abort alone."""

import json
import sys
import zipfile

_MEMORY = 2 << 30  # bytes of address space
_SECONDS = 600  # of processor time
_MEMBERS, _MEMBER_BYTES, _RATIO, _RATIO_FROM = 10_000, 1 << 30, 200, 10 << 20


def main(path: str) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    except ImportError:
        pass  # Windows has no such limits; the container is still checked
    with zipfile.ZipFile(path) as container:
        members = container.infolist()
        for m in members:
            bomb = m.file_size > _RATIO_FROM and m.file_size > _RATIO * max(m.compress_size, 1)
            if len(members) > _MEMBERS or m.file_size > _MEMBER_BYTES or bomb:
                sys.exit(3)
    import python_calamine

    rows = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=True)
    for row in rows:
        cells = [int(v) if isinstance(v, float) and v.is_integer() else v for v in row]
        json.dump([v if isinstance(v, (str, int, float, bool)) else str(v) for v in cells], sys.stdout)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
