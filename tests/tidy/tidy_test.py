"""A broken house for every rule of tidy.py, and a sound one that no rule complains about."""
import sys
import unittest

import tidy

SOUND = {
    "CMakeLists.txt": "add_subdirectory(lib)\n",
    "README.md": "See docs/ARCHITECTURE.md.\n",
    "docs/ARCHITECTURE.md": "The floors.\n",
    ".gitignore": "/build/\n",
    "lib/base/CMakeLists.txt": "target_sources(dgram_objects PRIVATE text.c pool.c clock_${system}.c)\n",
    "lib/base/clock_posix.c": "int dg_clock;\n",
    "lib/base/text.c": "#include \"base/text.h\"\n\nint dg_text_length(void)\n{\n\treturn 1;\n}\n",
    "lib/base/text.h": "int dg_text_length(void);\n",
    "lib/base/pool.c": "#include <dgram/addr.h>\n#include \"text.h\"\n\n"
                       "void *dg_pool_new(void)\n{\n\treturn malloc(1);\n}\n",
    "lib/include/dgram/addr.h": "#include <dgram/export.h>\n#include <stdint.h>\n",
    "lib/include/dgram/export.h": "#define DGRAM_API\n",
    "lib/include/dgram/dgram.h": "#include <dgram/addr.h>\n",
    "apps/CMakeLists.txt": "add_executable(dgram_command ask.c)\n",
    "apps/ask.c": "#include <dgram/dgram.h>\n#include \"common/say.h\"\n",
    "apps/common/say.h": "void say(void);\n",
}
OBJECTS = {
    "base/text.c": ({"dg_text_length"}, {"memcpy", "__stack_chk_fail"}),
    "base/pool.c": ({"dg_pool_new"}, {"malloc", "dg_text_length"}),
    "net/socket.c": ({"dgram_socket_open"}, {"socket", "printf"}),
}
LONG = "int dg_long(void)\n{\n" + "\tstep();\n" * (tidy.FUNCTION_LINES + 1) + "}\n"
TABLE = "int dg_table(void)\n{\n" + "\t\t{1, 2},\n" * (tidy.FUNCTION_LINES + 1) + "}\n"

# rule, file (or object), what it holds, what the complaint must name
BROKEN = [
    ("top_level", "scripts/x.sh", "#!/bin/sh\n", "scripts"),
    ("arrows", "lib/base/text.c", '#include "net/system.h"\n', "net/system.h"),
    ("arrows", "lib/base/text.c", "#include <dgram/socket.h>\n", "dgram/socket.h"),
    ("arrows", "lib/base/text.c", "#include <dgram/dgram.h>\n", "dgram/dgram.h"),
    ("arrows", "lib/relay/fate.c", '#include "net/system.h"\n', "net/system.h"),
    ("arrows", "lib/attic/old.c", "int x;\n", "no floor"),
    ("arrows", "lib/include/dgram/addr.h", '#include "base/text.h"\n', "only <...>"),
    ("arrows", "lib/include/dgram/addr.h", "#include <dgram/socket.h>\n", "dgram/socket.h"),
    ("apps_from_outside", "apps/ask.c", '#include "base/text.h"\n', "base/text.h"),
    ("apps_from_outside", "apps/ask.c", '#include "relay.h"\n', "relay.h"),
    ("public_headers", "lib/include/dgram/dgram.h", "#include <stdint.h>\n", "addr.h"),
    ("public_headers", "lib/include/dgram/attic.h", "int x;\n", "attic.h"),
    ("pure", "base/text.c", ({"dg_text_length"}, {"sendto"}), "sendto"),
    ("pure", "base/text.c", ({"dg_text_length"}, {"clock_gettime"}), "clock_gettime"),
    ("pure", "base/text.c", ({"dg_text_length"}, {"rand"}), "rand"),
    ("pure", "base/text.c", ({"dg_text_length"}, {"snprintf"}), "snprintf"),
    ("pure", "base/text.c", ({"dg_text_length"}, {"malloc"}), "malloc"),
    ("pure", "ask/asker.c", (set(), {"dgram_socket_open"}), "dgram_socket_open"),
    ("pure", "stream/frame.c", (set(), {"recv"}), "recv"),
    ("prefixes", "exported", {"dg_text_length"}, "dg_text_length"),
    ("prefixes", "visible", {"text_length"}, "text_length"),
    ("allocation", "lib/base/text.c", "int dg_x(void)\n{\n\treturn !malloc(1);\n}\n", "dg_x"),
    ("short_functions", "lib/base/text.c", LONG, "dg_long"),
    ("layout", "lib/base/text.c", "int x;", "newline"),
    ("layout", "lib/base/text.c", "int x;\n\n", "newline"),
    ("layout", "lib/base/text.c", "int x; \n", "blanks"),
    ("layout", "lib/base/text.c", "int x;\r\n", "blanks"),
    ("layout", "lib/base/text.c", "int " + "x" * 170 + ";\n", "columns"),
    ("layout", "lib/base/text.c", "int f(void)\n{\n    return 1;\n}\n", "spaces"),
    ("layout", "tests/x.py", "if x:\n\ty()\n", "tab"),
    ("words", "lib/base/text.c", "/* TO" + "DO: this */\n", "TO" + "DO"),
    ("words", "README.md", "Look into /wo" + "rk/notes.\n", "/wo" + "rk/"),
    ("words", "README.md", "Look into /ho" + "me/somebody/notes.\n", "somebody"),
    ("no_orphans", "lib/base/attic.c", "int x;\n", "attic.c"),
    ("no_orphans", "lib/base/attic.h", "int x;\n", "attic.h"),
    ("no_orphans", "tests/attic.py", "x = 1\n", "attic.py"),
    ("no_orphans", "docs/ATTIC.md", "Old.\n", "ATTIC.md"),
]


def sound_house():
    return tidy.House(dict(SOUND), dict(OBJECTS), {"dgram_addr_parse"}, {"dgram_addr_parse", "dg_text_length"})


class Tidy(unittest.TestCase):
    def test_a_sound_house_draws_no_complaint(self):
        house = sound_house()
        house.files["lib/base/CMakeLists.txt"] += "target_sources(dgram_objects PRIVATE table.c)\n"
        house.files["lib/base/table.c"] = TABLE
        for rule in tidy.RULES:
            self.assertEqual(list(rule(house)), [], rule.__name__)

    def test_each_broken_house_is_seen_by_its_rule(self):
        rules = {rule.__name__: rule for rule in tidy.RULES}
        for name, place, what, word in BROKEN:
            house = sound_house()
            if name == "prefixes":
                setattr(house, place, what)
            elif isinstance(what, tuple):
                house.objects[place] = what
            else:
                house.files[place] = what
            complaints = list(rules[name](house))
            with self.subTest(rule=name, place=place, what=what):
                self.assertTrue(any(word in complaint for complaint in complaints), complaints)

    def test_no_rule_is_without_a_broken_house(self):
        self.assertEqual({rule.__name__ for rule in tidy.RULES}, {row[0] for row in BROKEN})


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
