/* facet-markdown.h - Markdown text as a flat list of blocks
 *
 * GitHub's Markdown (tables, strikethrough, task lists, bare links) through
 * cmark-gfm. Lists and quotations are flattened: each paragraph in them is a
 * block that knows its indentation. Raw HTML is text. Pictures become links
 * to them: nothing is ever fetched. Formulas in TeX become text, x² + 1.
 *
 * The markup of TEXT, HEADING and TABLE blocks is Pango markup in which every
 * character that came from the text is escaped; only this file writes tags.
 *
 * Knows nothing of GTK. Thread-safety: safe, values only.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  FACET_BLOCK_TEXT,
  FACET_BLOCK_HEADING,
  FACET_BLOCK_CODE,
  FACET_BLOCK_TABLE,
  FACET_BLOCK_RULE,
} FacetBlockKind;

typedef enum {
  FACET_CELL_START,
  FACET_CELL_CENTER,
  FACET_CELL_END,
} FacetCellAlign;

/* Strings are owned; NULL where they make no sense. */
typedef struct {
  FacetBlockKind kind;
  guint          level;     /* HEADING: 1..6 */
  guint          indent;    /* depth in lists */
  guint          quote;     /* depth in quotations */
  gboolean       tight;     /* no space above: item of a tight list, or the
                             * next piece of one long paragraph */
  char          *marker;    /* of the first block of a list item: "•", "2." */
  char          *text;      /* TEXT, HEADING: markup; CODE: as it is */
  char          *language;  /* CODE: first word after the fence, or NULL */
  guint          columns;   /* TABLE */
  guint          rows;      /* TABLE, the first is the header */
  GPtrArray     *cells;     /* TABLE: rows * columns markup strings */
  guint8        *align;     /* TABLE: FacetCellAlign per column */
} FacetBlock;

void     facet_block_free  (FacetBlock *block);
gboolean facet_block_equal (const FacetBlock *a, const FacetBlock *b);

/* Long paragraphs are cut at a blank into pieces of about this many
 * characters, so that only the last piece is laid out again as text arrives. */
#define FACET_PARAGRAPH_PIECE 1200

/* @text is UTF-8. If @settled is given it receives the offset from which a
 * longer version of @text must be parsed again, and @n_settled the number of
 * blocks before it; both are 0 when everything may still change.
 * Returns: (transfer full) (element-type FacetBlock) */
GPtrArray *facet_markdown_parse (const char *text, gsize length, gsize *settled, guint *n_settled);

G_END_DECLS
