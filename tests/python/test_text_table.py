"""A text table is read however it was written, and its ids are text."""

import bz2
import gzip
import lzma

import pytest

from pharmacell.core.errors import InputError
from pharmacell.data.text_table import look_at_table, number_of, read_table, rows_of

PLAIN = [["line", "TP53", "EGFR"], ["0001", "1.5", "0"], ["1E5", "2.25", "7"], ["NA", "0", "3"]]
VALUES = [[1.5, 0], [2.25, 7], [0, 3]]


def joined(separator=",", decimal=".", end="\n", quote=""):
    rows = [
        [f"{quote}{field}{quote}" if i == 0 or j == 0 else field for j, field in enumerate(row)]
        for i, row in enumerate(PLAIN)
    ]
    return end.join(separator.join(row) for row in rows).replace(".", decimal) + end


WRITTEN = {
    "comma": joined(),
    "tab": joined("\t"),
    "semicolon": joined(";"),
    "write.csv2": joined(";", ",", quote='"'),
    "tab and decimal comma": joined("\t", ","),
    "spaces": joined(" "),
    "aligned": joined("   "),
    "write.table": joined(" ", quote='"').replace('"line" ', "", 1),
    "one field short": joined("\t").replace("line\t", "", 1),
    "CRLF": joined(end="\r\n"),
    "old Mac": joined(end="\r"),
    "quotes": joined(quote='"'),
    "BOM": "\ufeff" + joined(),
    "sep line": "sep=;\n" + joined(";"),
    "comment head": "# made by a tool, version 3\n# on a day\n" + joined(),
    "comment as header": "#" + joined("\t"),
    "comments below": joined().replace("1E5", "# half way\n1E5") + "# end\n",
    "title and size": "#1.2\n3\t2\n" + joined("\t"),
    "empty rows": joined().replace("1E5", ",,\n\n1E5") + ",,\n",
    "trailing separators": joined().replace("\n", ",,\n"),
    "trailing in rows only": joined().replace("\n", ",\n").replace(",\n", "\n", 1),
    "blanks at the end": joined().replace("\n", "  \n"),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_every_way_of_writing(way, tmp_path):
    path = tmp_path / "t.txt"
    path.write_text(WRITTEN[way], newline="")
    layout = look_at_table(path)
    rows = [fields for _, fields in rows_of(path, layout)]
    assert list(layout.header) == ["TP53", "EGFR"]
    assert [fields[0] for fields in rows] == ["0001", "1E5", "NA"]
    assert [[number_of(field, layout) for field in fields[1:]] for fields in rows] == VALUES
    table = read_table(path, lambda name: False)
    assert table.iloc[:, 0].tolist() == ["0001", "1E5", "NA"]
    assert table[["TP53", "EGFR"]].to_numpy().tolist() == VALUES


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding, tmp_path):
    (tmp_path / "t.csv").write_bytes("Zelle;TP53\nMüller;1\nGroß;2\n".encode(encoding))
    assert read_table(tmp_path / "t.csv", lambda name: False)["Zelle"].tolist() == ["Müller", "Groß"]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_whatever_the_name(compress, tmp_path):
    (tmp_path / "t.csv").write_bytes(compress(joined().encode()))
    assert look_at_table(tmp_path / "t.csv").header == ("TP53", "EGFR")


def test_missing_ids_stay_apart_from_missing_values(tmp_path):
    (tmp_path / "t.csv").write_text("line,drug,value\nA,1005,2.5\nB,,NA\n,1006,1\n")
    table = read_table(tmp_path / "t.csv", lambda name: name == "drug")
    assert table["drug"].tolist()[0] == "1005"
    assert table["drug"].isna().tolist() == [False, True, False]
    assert table["line"].isna().tolist() == [False, False, True]
    assert table["value"].isna().tolist() == [False, True, False]


def test_quoted_separator_and_repeated_names(tmp_path):
    (tmp_path / "t.csv").write_text('line,"a, b",x,x\n"L ""1""",1,2,3\n')
    table = read_table(tmp_path / "t.csv", lambda name: False)
    assert list(table.columns) == ["line", "a, b", "x", "x"]
    assert table.iloc[0].tolist() == ['L "1"', 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing to read"),
        ("\n\n", "nothing to read"),
        ("gene\nTP53\nEGFR\n", "one column only"),
        ("line,TP53,EGFR\n", "no rows"),
        ("line\tTP53\nA\t1,234\nB\t2,500\n", "thousands"),
        ("line,TP53\nA,1\0\n", "not a text file"),
    ],
)
def test_refused(text, words, tmp_path):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        look_at_table(tmp_path / "t.csv")


def test_uneven_rows_are_named_with_their_line(tmp_path):
    (tmp_path / "t.csv").write_text("line,A,B\nx,1,2\ny,1\n")
    with pytest.raises(InputError, match="line 3 has 2 fields where the header has 3"):
        read_table(tmp_path / "t.csv", lambda name: False)


def test_cut_gzip(tmp_path):
    whole = gzip.compress("\n".join(f"r{i},{i * 7919 % 1013}" for i in range(20000)).encode())
    (tmp_path / "t.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cut short"):
        read_table(tmp_path / "t.csv.gz", lambda name: False)


def test_quoted_header_of_very_many_columns(tmp_path):
    names = [f'"cell number {i}"' for i in range(20_000)]
    (tmp_path / "t.txt").write_text(",".join(["GENE", *names]) + "\n" + ",".join(["TP53", *["1"] * 20_000]) + "\n")
    layout = look_at_table(tmp_path / "t.txt")
    assert layout.separator == ","
