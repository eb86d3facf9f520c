#define G_LOG_DOMAIN "facet"

#include "facet-markdown.h"

#include <string.h>

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>

#include "facet-markdown-inline.h"
#include "facet-markdown-math.h"

typedef struct {
  GPtrArray *blocks;
  guint      indent;
  guint      quote;
  gboolean   tight;  /* inside a tight list */
  char      *marker; /* waits for the first block of a list item */
} Walk;

static void walk_children (Walk *walk, cmark_node *parent);

void
facet_block_free (FacetBlock *block)
{
  g_free (block->marker);
  g_free (block->text);
  g_free (block->language);
  g_free (block->align);
  g_clear_pointer (&block->cells, g_ptr_array_unref);
  g_free (block);
}

gboolean
facet_block_equal (const FacetBlock *a, const FacetBlock *b)
{
  if (a->kind != b->kind || a->level != b->level || a->indent != b->indent || a->quote != b->quote ||
      a->tight != b->tight || a->columns != b->columns || a->rows != b->rows ||
      g_strcmp0 (a->marker, b->marker) != 0 || g_strcmp0 (a->text, b->text) != 0 ||
      g_strcmp0 (a->language, b->language) != 0)
    return FALSE;

  for (guint i = 0; a->cells != NULL && i < a->cells->len; i++)
    if (strcmp (a->cells->pdata[i], b->cells->pdata[i]) != 0)
      return FALSE;
  return a->columns == 0 || memcmp (a->align, b->align, a->columns) == 0;
}

static FacetBlock *
add_block (Walk *walk, FacetBlockKind kind)
{
  FacetBlock *block = g_new0 (FacetBlock, 1);

  block->kind = kind;
  block->indent = walk->indent;
  block->quote = walk->quote;
  block->tight = walk->tight;
  block->marker = g_steal_pointer (&walk->marker);
  g_ptr_array_add (walk->blocks, block);
  return block;
}

static void
add_text (Walk *walk, cmark_node *node, FacetBlockKind kind, guint level)
{
  g_autoptr (GPtrArray) pieces = facet_markdown_inlines (node, FACET_PARAGRAPH_PIECE);

  for (guint i = 0; i < pieces->len; i++) {
    FacetBlock *block = add_block (walk, kind);

    block->level = level;
    block->text = g_strdup (pieces->pdata[i]);
    if (i > 0)
      block->tight = TRUE;
  }
}

static void
add_code (Walk *walk, cmark_node *node)
{
  FacetBlock *block = add_block (walk, FACET_BLOCK_CODE);
  const char *literal = cmark_node_get_literal (node);
  const char *info = cmark_node_get_fence_info (node);
  gsize length = literal != NULL ? strlen (literal) : 0;

  while (length > 0 && literal[length - 1] == '\n')
    length--;
  block->text = g_strndup (literal, length);
  if (info != NULL && *info != '\0')
    block->language = g_strndup (info, strcspn (info, " \t{"));
}

static void
add_html (Walk *walk, cmark_node *node)
{
  const char *literal = cmark_node_get_literal (node);
  g_autofree char *plain = g_strdup (literal != NULL ? literal : "");
  FacetBlock *block = add_block (walk, FACET_BLOCK_TEXT);

  g_strchomp (plain);
  block->text = g_markup_escape_text (plain, -1);
}

static void
add_table (Walk *walk, cmark_node *node)
{
  FacetBlock *block = add_block (walk, FACET_BLOCK_TABLE);
  const guint8 *align = cmark_gfm_extensions_get_table_alignments (node);

  block->columns = cmark_gfm_extensions_get_table_columns (node);
  block->align = g_new0 (guint8, block->columns + 1);
  for (guint i = 0; align != NULL && i < block->columns; i++)
    block->align[i] = align[i] == 'r' ? FACET_CELL_END : align[i] == 'c' ? FACET_CELL_CENTER : FACET_CELL_START;

  block->cells = g_ptr_array_new_with_free_func (g_free);
  for (cmark_node *row = cmark_node_first_child (node); row != NULL; row = cmark_node_next (row)) {
    cmark_node *cell = cmark_node_first_child (row);

    for (guint i = 0; i < block->columns; i++) {
      if (cell == NULL) {
        g_ptr_array_add (block->cells, g_strdup (""));
        continue;
      }
      {
        g_autoptr (GPtrArray) pieces = facet_markdown_inlines (cell, G_MAXUINT);

        g_ptr_array_add (block->cells, g_strdup (pieces->len > 0 ? pieces->pdata[0] : ""));
      }
      cell = cmark_node_next (cell);
    }
    block->rows++;
  }
}

static char *
item_marker (cmark_node *list, cmark_node *item, int number)
{
  if (strcmp (cmark_node_get_type_string (item), "tasklist") == 0)
    return g_strdup (cmark_gfm_extensions_get_tasklist_item_checked (item) ? "☑" : "☐");
  if (cmark_node_get_list_type (list) == CMARK_ORDERED_LIST)
    return g_strdup_printf ("%d%c", number, cmark_node_get_list_delim (list) == CMARK_PAREN_DELIM ? ')' : '.');
  return g_strdup ("•");
}

static void
add_list (Walk *walk, cmark_node *list)
{
  gboolean outer_tight = walk->tight;
  int number = cmark_node_get_list_start (list);
  gboolean first = TRUE;

  walk->indent++;
  for (cmark_node *item = cmark_node_first_child (list); item != NULL; item = cmark_node_next (item)) {
    g_free (walk->marker);
    walk->marker = item_marker (list, item, number++);
    /* the first item keeps its distance from what came before the list */
    walk->tight = cmark_node_get_list_tight (list) && (!first || walk->indent > 1);
    first = FALSE;
    walk_children (walk, item);
    if (walk->marker != NULL)
      add_block (walk, FACET_BLOCK_TEXT)->text = g_strdup ("");
  }
  walk->indent--;
  walk->tight = outer_tight;
}

static void
walk_node (Walk *walk, cmark_node *node)
{
  cmark_node_type type = cmark_node_get_type (node);

  if (type == CMARK_NODE_PARAGRAPH) {
    add_text (walk, node, FACET_BLOCK_TEXT, 0);
  } else if (type == CMARK_NODE_HEADING) {
    add_text (walk, node, FACET_BLOCK_HEADING, cmark_node_get_heading_level (node));
  } else if (type == CMARK_NODE_CODE_BLOCK) {
    add_code (walk, node);
  } else if (type == CMARK_NODE_THEMATIC_BREAK) {
    add_block (walk, FACET_BLOCK_RULE);
  } else if (type == CMARK_NODE_HTML_BLOCK) {
    add_html (walk, node);
  } else if (type == CMARK_NODE_LIST) {
    add_list (walk, node);
  } else if (type == CMARK_NODE_BLOCK_QUOTE) {
    walk->quote++;
    walk_children (walk, node);
    walk->quote--;
  } else if (strcmp (cmark_node_get_type_string (node), "table") == 0) {
    add_table (walk, node);
  } else {
    walk_children (walk, node);
  }
}

/* cmark caps nesting of quotations and lists by itself only loosely; beyond
 * this depth nothing readable could be shown and the stack must not grow. */
#define MAX_DEPTH 64

static void
walk_children (Walk *walk, cmark_node *parent)
{
  if (walk->indent + walk->quote > MAX_DEPTH)
    return;
  for (cmark_node *node = cmark_node_first_child (parent); node != NULL; node = cmark_node_next (node))
    walk_node (walk, node);
}

/* Formulas as text, which changes no number of lines. */
static cmark_node *
parse_document (const char *text, gsize length, cmark_parser **parser)
{
  static const char *const names[] = { "table", "strikethrough", "autolink", "tasklist" };
  g_autofree char *plain = facet_markdown_replace_math (text, length);

  cmark_gfm_core_extensions_ensure_registered ();
  *parser = cmark_parser_new (CMARK_OPT_VALIDATE_UTF8 | CMARK_OPT_STRIKETHROUGH_DOUBLE_TILDE);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    cmark_syntax_extension *extension = cmark_find_syntax_extension (names[i]);

    if (extension != NULL)
      cmark_parser_attach_syntax_extension (*parser, extension);
  }
  if (plain != NULL)
    cmark_parser_feed (*parser, plain, strlen (plain));
  else
    cmark_parser_feed (*parser, text, length);
  return cmark_parser_finish (*parser);
}

/* Offset of the 1-based @line, provided that the line before it is blank. */
static gboolean
offset_after_blank (const char *text, gsize length, int line, gsize *offset)
{
  const char *end = text + length;
  const char *at = text;
  gboolean blank = FALSE;

  for (int i = 1; i < line; i++) {
    const char *newline = memchr (at, '\n', end - at);

    if (newline == NULL)
      return FALSE;
    blank = TRUE;
    for (const char *c = at; c < newline; c++)
      blank = blank && (*c == ' ' || *c == '\t' || *c == '\r');
    at = newline + 1;
  }
  *offset = at - text;
  return blank;
}

GPtrArray *
facet_markdown_parse (const char *text, gsize length, gsize *settled, guint *n_settled)
{
  cmark_parser *parser;
  cmark_node *document = parse_document (text, length, &parser);
  Walk walk = { .blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_block_free) };
  gsize offset = 0;
  guint n_before = 0;

  for (cmark_node *node = cmark_node_first_child (document); node != NULL; node = cmark_node_next (node)) {
    gsize start;

    /* what precedes the last block that stands on its own is closed */
    if (settled != NULL && cmark_node_previous (node) != NULL &&
        offset_after_blank (text, length, cmark_node_get_start_line (node), &start)) {
      offset = start;
      n_before = walk.blocks->len;
    }
    walk_node (&walk, node);
  }

  if (settled != NULL) {
    *settled = offset;
    *n_settled = n_before;
  }
  g_free (walk.marker);
  cmark_node_free (document);
  cmark_parser_free (parser);
  return walk.blocks;
}
