/* Markdown as blocks: what is markup, what is text, and what settles. */
#include <pango/pango.h>
#include <string.h>

#include "chat/facet-markdown.h"

static GPtrArray *
parse (const char *text)
{
  return facet_markdown_parse (text, strlen (text), NULL, NULL);
}

static const FacetBlock *
block (GPtrArray *blocks, guint index)
{
  g_assert_cmpuint (index, <, blocks->len);
  return blocks->pdata[index];
}

static void
test_kinds (void)
{
  g_autoptr (GPtrArray) blocks = parse ("# Title\n\nSome **bold** text.\n\n```python\nprint(1 < 2)\n```\n\n---\n\n"
                                        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n1. one\n2. two\n   - deep\n\n> said\n");

  g_assert_cmpuint (blocks->len, ==, 9);
  g_assert_cmpint (block (blocks, 0)->kind, ==, FACET_BLOCK_HEADING);
  g_assert_cmpstr (block (blocks, 0)->text, ==, "Title");
  g_assert_cmpstr (block (blocks, 1)->text, ==, "Some <b>bold</b> text.");
  g_assert_cmpint (block (blocks, 2)->kind, ==, FACET_BLOCK_CODE);
  g_assert_cmpstr (block (blocks, 2)->language, ==, "python");
  g_assert_cmpstr (block (blocks, 2)->text, ==, "print(1 < 2)");
  g_assert_cmpint (block (blocks, 3)->kind, ==, FACET_BLOCK_RULE);
  g_assert_cmpint (block (blocks, 4)->kind, ==, FACET_BLOCK_TABLE);
  g_assert_cmpuint (block (blocks, 4)->columns, ==, 2);
  g_assert_cmpuint (block (blocks, 4)->rows, ==, 2);
  g_assert_cmpint (block (blocks, 4)->align[1], ==, FACET_CELL_END);
  g_assert_cmpstr (block (blocks, 5)->marker, ==, "1.");
  g_assert_cmpstr (block (blocks, 6)->marker, ==, "2.");
  g_assert_cmpstr (block (blocks, 7)->marker, ==, "•");
  g_assert_cmpuint (block (blocks, 7)->indent, ==, 2);
  g_assert_cmpuint (block (blocks, 8)->quote, ==, 1);
}

/* Raw HTML and Pango tags in an answer are words, never markup. */
static void
test_html_is_text (void)
{
  g_autoptr (GPtrArray) blocks = parse ("<b>x</b> <span size='9'> & `<i>`\n\n<div onclick=\"a\">\nhello\n</div>\n");

  g_assert_cmpuint (blocks->len, ==, 2);
  for (guint i = 0; i < blocks->len; i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *plain = NULL;

    g_assert_true (pango_parse_markup (block (blocks, i)->text, -1, 0, NULL, &plain, NULL, &error));
    g_assert_no_error (error);
    if (i == 0)
      g_assert_cmpstr (plain, ==, "<b>x</b> <span size='9'> & <i>");
    else
      g_assert_nonnull (strstr (plain, "<div onclick=\"a\">"));
  }
}

/* A long paragraph comes in pieces that each stand on their own. */
static void
test_pieces (void)
{
  GString *text = g_string_new ("**");
  g_autoptr (GPtrArray) blocks = NULL;

  for (int i = 0; i < 1000; i++)
    g_string_append (text, "word & ");
  g_string_append (text, "end**");
  blocks = parse (text->str);
  g_assert_cmpuint (blocks->len, >, 4);
  for (guint i = 0; i < blocks->len; i++) {
    g_assert_true (pango_parse_markup (block (blocks, i)->text, -1, 0, NULL, NULL, NULL, NULL));
    g_assert_true (g_str_has_prefix (block (blocks, i)->text, "<b>"));
    g_assert_cmpint (block (blocks, i)->tight, ==, i > 0);
  }
  g_string_free (text, TRUE);
}

/* However a text is cut, parsing on from the settled place gives the blocks of
 * the whole. */
static void
test_settled (void)
{
  static const char text[] = "Intro text\nmore\n\n- a\n- b\n\n  para in b\n\nAfter\n\n```c\nint x;\n\nint y;\n```\n\n"
                             "| a | b |\n|---|---|\n| 1 | 2 |\n\n> q\n\n$$\nx^2 \\\\\n= 4\n$$\n\nSetext $a_1$\n===\n\n- in $b_1$\n\n    \\[\n    c_1\n    \\]\n\nlast";
  g_autoptr (GPtrArray) whole = parse (text);

  for (gsize cut = 0; cut < sizeof text; cut++) {
    gsize settled;
    guint n_settled;
    g_autoptr (GPtrArray) before = facet_markdown_parse (text, cut, &settled, &n_settled);
    g_autoptr (GPtrArray) rest = parse (text + settled);

    g_assert_cmpuint (settled, <=, cut);
    g_assert_cmpuint (n_settled + rest->len, ==, whole->len);
    for (guint i = 0; i < n_settled; i++)
      g_assert_true (facet_block_equal (before->pdata[i], whole->pdata[i]));
    for (guint i = 0; i < rest->len; i++)
      g_assert_true (facet_block_equal (rest->pdata[i], whole->pdata[n_settled + i]));
  }
}

static char *
plain (const char *text)
{
  g_autoptr (GPtrArray) blocks = parse (text);
  g_autoptr (GString) all = g_string_new (NULL);

  for (guint i = 0; i < blocks->len; i++) {
    const FacetBlock *shown = block (blocks, i);
    g_autofree char *words = NULL;

    g_string_append (all, i > 0 ? "|" : "");
    if (shown->kind == FACET_BLOCK_CODE)
      g_string_append (all, shown->text);
    else if (shown->kind != FACET_BLOCK_TABLE && pango_parse_markup (shown->text, -1, 0, NULL, &words, NULL, NULL))
      g_string_append (all, words);
    else if (shown->kind == FACET_BLOCK_TABLE)
      for (guint j = 0; j < shown->cells->len; j++)
        g_string_append_printf (all, "[%s]", (char *) shown->cells->pdata[j]);
  }
  return g_string_free (g_steal_pointer (&all), FALSE);
}

/* Formulas as models write them, and what only looks like one. */
static void
test_math (void)
{
  static const char *const cases[][2] = {
    { "Let $x^2 + y_1 = \\alpha$.", "Let x² + y₁ = α." },
    { "$\\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}$", "(−b ± √(b² − 4ac))/(2a)" },
    { "\\(a_{n+1}\\) and \\[ e^{i\\pi} = -1 \\]", "aₙ₊₁ and e^(iπ) = −1" },
    { "$$\n\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}\n$$\n\nNext", "∑ᵢ₌₁ⁿ i = (n(n+1))/2|Next" },
    { "$90^\\circ$, $f'(x)$, $\\vec{v}$, $\\sqrt[3]{8}$", "90°, f′(x), v⃗, ³√8" },
    { "$x \\in \\mathbb{R}, x\\le 5\\text{ if } y$", "x ∈ ℝ, x ≤ 5 if y" },
    { "$\\sin\\theta \\cdot \\log_2 n$", "sin θ · log₂ n" },
    { "$\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}$", "(1 2; 3 4)" },
    { "$$\n\\begin{aligned}\na &= b \\\\\n&= c\n\\end{aligned}\n$$", "a = b\n= c" },
    { "$\\left( \\frac{1}{2} \\right)$ is $50\\%$, $n$", "( 1/2 ) is 50%, n" },
    { "$\\frac{dy}{dx} = \\frac{\\partial f}{\\partial x} e^{x^2} \\int_0^\\infty f$", "dy/dx = ∂f/∂x e^(x²) ∫₀^∞ f" },
    { "$\\epsilon > 0$, $\\alpha + \\beta x = -\\gamma$, $\\frac{\\sqrt{\\pi}}{2}$", "ϵ > 0, α + βx = −γ, √π/2" },
    { "$\\foo{a b}{c}^2$", "\\foo{a b}{c}²" },
    { "$2 * 3 * 4 = 24$ *soon*", "2 * 3 * 4 = 24 soon" },
    { "| $|x|$ | $y^2$ |\n|--|--|\n| 1 | $<b>$ |", "[|x|][y²][1][&lt;b&gt;]" },
    { "1. First\n\n    $$x^2$$\n", "First|x²" },
    /* money, names of variables, code, links, what Markdown escapes */
    { "It is $5 and not $10, or $5-$6.", "It is $5 and not $10, or $5-$6." },
    { "US$ 5, A$6, $HOME/$USER, $5 in cash$", "US$ 5, A$6, $HOME/$USER, $5 in cash$" },
    { "`$x^2$` and ``a ` $y_1$`` \\$z^2$", "$x^2$ and a ` $y_1$ $z^2$" },
    { "```sh\necho $a_b$ $c^2$\n```\n\n$x^2$", "echo $a_b$ $c^2$|x²" },
    { "    code $x^2$\n", "code $x^2$" },
    { "\\[not a link\\](x)", "[not a link](x)" },
    { "$x^2\n\nand $y", "$x^2|and $y" },
    { "$", "$" },
    { "$$", "$$" },
    { "\\(", "(" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *found = plain (cases[i][0]);

    g_assert_cmpstr (found, ==, cases[i][1]);
  }
}

/* What is nested too deeply stays as it is. */
static void
test_deep_math (void)
{
  GString *text = g_string_new ("$x^2");
  g_autofree char *found = NULL;

  for (int i = 0; i < 200; i++)
    g_string_append (text, "\\sqrt{");
  g_string_append (text, "1$");
  found = plain (text->str);
  g_assert_true (g_str_has_prefix (found, "$x^2\\sqrt{"));
  g_string_free (text, TRUE);
}

/* Anything at all gives markup that Pango accepts. */
static void
test_hostile (void)
{
  static const char *const bits[] = { "*", "**", "`", "```\n", "<a>", "&", "[x](", ")", "![", "]", "\n", "\n\n", "> ",
                                      "- ", "1. ", "|", "|-|\n", "~~", "\x01", "\xff", "שלום", "http://a.b", "# ",
                                      "$", "$$", "\\(", "\\)", "\\[", "\\]", "\\frac", "{", "}", "^", "_", "\\begin{cases}",
                                      "\\\\", "é", "\\vec", "\\left", "\\mathbb", "\\foo{", "\\" };

  for (int round = 0; round < 3000; round++) {
    GString *text = g_string_new (NULL);
    g_autoptr (GPtrArray) blocks = NULL;

    for (int i = 0; i < 32; i++)
      g_string_append (text, bits[g_test_rand_int_range (0, G_N_ELEMENTS (bits))]);
    blocks = parse (text->str);
    for (guint i = 0; i < blocks->len; i++) {
      const FacetBlock *b = block (blocks, i);

      if (b->kind == FACET_BLOCK_TEXT || b->kind == FACET_BLOCK_HEADING) {
        g_autofree char *no_links = NULL;
        g_autoptr (GRegex) links = g_regex_new ("<a href=\"[^\"]*\">|</a>", 0, 0, NULL);
        g_autoptr (GError) error = NULL;

        no_links = g_regex_replace_literal (links, b->text, -1, 0, "", 0, NULL);
        pango_parse_markup (no_links, -1, 0, NULL, NULL, NULL, &error);
        g_assert_no_error (error);
      }
    }
    g_string_free (text, TRUE);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/markdown/kinds", test_kinds);
  g_test_add_func ("/markdown/html-is-text", test_html_is_text);
  g_test_add_func ("/markdown/pieces", test_pieces);
  g_test_add_func ("/markdown/settled", test_settled);
  g_test_add_func ("/markdown/math", test_math);
  g_test_add_func ("/markdown/deep-math", test_deep_math);
  g_test_add_func ("/markdown/hostile", test_hostile);
  return g_test_run ();
}
