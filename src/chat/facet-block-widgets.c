#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-block-widgets.h"
#include "facet-link.h"
#include "facet-text-widgets.h"

#define INDENT 24

static GtkWidget *
markup_label (void)
{
  GtkWidget *label = facet_text_label_new ();

  gtk_widget_set_hexpand (label, TRUE);
  g_signal_connect (label, "activate-link", G_CALLBACK (facet_link_activate_cb), NULL);
  return label;
}

static void
set_text (GtkWidget *row, GtkWidget *label, const char *markup)
{
  gtk_label_set_markup (GTK_LABEL (label), markup);
  facet_widget_follow_text (row, gtk_label_get_text (GTK_LABEL (label)));
  facet_widget_follow_text (label, gtk_label_get_text (GTK_LABEL (label)));
}

static GtkWidget *
text_row (const FacetBlock *block)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *label = markup_label ();

  if (block->indent > 0) {
    GtkWidget *marker = gtk_label_new (block->marker);

    gtk_widget_set_size_request (marker, INDENT - 8, -1);
    gtk_widget_set_valign (marker, GTK_ALIGN_START);
    gtk_label_set_xalign (GTK_LABEL (marker), 1);
    gtk_widget_add_css_class (marker, "dim-label");
    gtk_widget_add_css_class (marker, "numeric");
    gtk_box_append (GTK_BOX (row), marker);
  }
  gtk_box_append (GTK_BOX (row), label);
  if (block->kind == FACET_BLOCK_HEADING) {
    g_autofree char *class = g_strdup_printf ("md-h%u", MIN (block->level, 4));

    gtk_widget_add_css_class (label, class);
  }
  g_object_set_data (G_OBJECT (row), "label", label);
  set_text (row, label, block->text);
  return row;
}

static void
copy_cb (GtkButton *button, gpointer data)
{
  const char *text = g_object_get_data (G_OBJECT (button), "text");

  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (button)), text);
  gtk_button_set_icon_name (button, "object-select-symbolic");
}

static GtkWidget *
code_header (const FacetBlock *block, GtkWidget *code)
{
  GtkWidget *header = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *language = gtk_label_new (block->language != NULL ? block->language : C_("code block", "Code"));
  GtkWidget *copy = gtk_button_new_from_icon_name ("edit-copy-symbolic");

  gtk_widget_add_css_class (language, "caption-heading");
  gtk_widget_add_css_class (language, "dim-label");
  gtk_label_set_ellipsize (GTK_LABEL (language), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign (GTK_LABEL (language), 0);
  gtk_widget_set_hexpand (language, TRUE);
  gtk_widget_add_css_class (copy, "flat");
  gtk_widget_add_css_class (copy, "circular");
  gtk_widget_set_tooltip_text (copy, _("Copy Code"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (copy), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Copy Code"), -1);
  g_signal_connect (copy, "clicked", G_CALLBACK (copy_cb), NULL);
  gtk_box_append (GTK_BOX (header), language);
  gtk_box_append (GTK_BOX (header), copy);
  gtk_widget_add_css_class (header, "code-header");
  gtk_widget_set_direction (header, GTK_TEXT_DIR_LTR);
  gtk_widget_set_direction (language, GTK_TEXT_DIR_LTR);
  g_object_set_data (G_OBJECT (code), "copy", copy);
  return header;
}

/* Pango gives each line the direction of its first letter, by which a comment in Arabic
 * would have its slashes behind it. A label makes a new layout when its text changes, and
 * is then measured before it is drawn. */
static void
hold_direction (GtkWidget *lines)
{
  for (GtkWidget *label = gtk_widget_get_first_child (lines); label != NULL; label = gtk_widget_get_next_sibling (label))
    pango_layout_set_auto_dir (gtk_label_get_layout (GTK_LABEL (label)), FALSE);
}

static void
code_measure (GtkWidget     *widget,
              GtkOrientation orientation,
              int            for_size,
              int           *minimum,
              int           *natural,
              int           *minimum_baseline,
              int           *natural_baseline)
{
  GtkWidget *lines = gtk_widget_get_first_child (widget);

  hold_direction (lines);
  gtk_widget_measure (lines, orientation, for_size, minimum, natural, NULL, NULL);
}

static void
code_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  gtk_widget_allocate (gtk_widget_get_first_child (widget), width, height, baseline, NULL);
}

static GtkWidget *
code_bin (GtkWidget *lines)
{
  GtkWidget *bin = adw_bin_new ();

  adw_bin_set_child (ADW_BIN (bin), lines);
  gtk_widget_set_layout_manager (bin, gtk_custom_layout_new (NULL, code_measure, code_allocate));
  return bin;
}

/* Lines of a code block per label: only the last label is laid out again. */
#define CODE_LINES 48

static void
set_code (GtkWidget *lines, const char *text)
{
  GtkWidget *label = gtk_widget_get_first_child (lines);
  const char *at = text;

  do {
    const char *end = at;
    g_autofree char *part = NULL;

    for (int n = 0; n < CODE_LINES && end != NULL; n++)
      end = strchr (n == 0 ? end : end + 1, '\n');
    part = end != NULL ? g_strndup (at, end - at) : g_strdup (at);
    if (label == NULL) {
      label = gtk_label_new (NULL);
      gtk_label_set_selectable (GTK_LABEL (label), TRUE);
      gtk_label_set_xalign (GTK_LABEL (label), 0);
      gtk_widget_add_css_class (label, "monospace");
      gtk_widget_set_direction (label, GTK_TEXT_DIR_LTR);
      gtk_box_append (GTK_BOX (lines), label);
    }
    if (g_strcmp0 (gtk_label_get_text (GTK_LABEL (label)), part) != 0)
      gtk_label_set_text (GTK_LABEL (label), part);
    label = gtk_widget_get_next_sibling (label);
    at = end != NULL ? end + 1 : NULL;
  } while (at != NULL);

  while (label != NULL) {
    GtkWidget *next = gtk_widget_get_next_sibling (label);

    gtk_box_remove (GTK_BOX (lines), label);
    label = next;
  }
}

static void
update_code (GtkWidget *code, const char *text)
{
  GtkWidget *copy = g_object_get_data (G_OBJECT (code), "copy");

  set_code (g_object_get_data (G_OBJECT (code), "lines"), text);
  g_object_set_data_full (G_OBJECT (copy), "text", g_strdup (text), g_free);
}

static GtkWidget *
sideways (GtkWidget *child)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();

  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_AUTOMATIC, GTK_POLICY_NEVER);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scroller), TRUE);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), child);
  return scroller;
}

static GtkWidget *
code_box (const FacetBlock *block)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *lines = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);

  gtk_widget_add_css_class (box, "code-block");
  gtk_widget_add_css_class (lines, "code-lines");
  gtk_widget_set_direction (box, GTK_TEXT_DIR_LTR);
  gtk_box_append (GTK_BOX (box), code_header (block, box));
  gtk_box_append (GTK_BOX (box), sideways (code_bin (lines)));
  g_object_set_data (G_OBJECT (box), "lines", lines);
  update_code (box, block->text);
  return box;
}

/* The widest that a cell gets before its words wrap. */
#define CELL_CHARS 36

/* A label that may wrap asks for the height it has at its narrowest; short
 * ones must not. */
static void
set_cell_width (GtkLabel *label)
{
  gboolean wide = g_utf8_strlen (gtk_label_get_text (label), -1) > CELL_CHARS;

  gtk_label_set_wrap (label, wide);
  gtk_label_set_width_chars (label, wide ? CELL_CHARS : -1);
  gtk_label_set_max_width_chars (label, wide ? CELL_CHARS : -1);
}

static void
update_table (GtkWidget *grid, const FacetBlock *shown, const FacetBlock *block)
{
  static const float xalign[] = { 0, 0.5, 1 };
  static const GtkJustification justify[] = { GTK_JUSTIFY_LEFT, GTK_JUSTIFY_CENTER, GTK_JUSTIFY_RIGHT };

  for (guint i = 0; i < block->cells->len; i++) {
    guint column = i % block->columns;
    guint row = i / block->columns;
    GtkWidget *label = gtk_grid_get_child_at (GTK_GRID (grid), column, row);

    if (label == NULL) {
      label = markup_label ();
      /* a column is as wide as its words */
      gtk_widget_set_layout_manager (label, NULL);
      gtk_label_set_xalign (GTK_LABEL (label), xalign[block->align[column]]);
      gtk_label_set_justify (GTK_LABEL (label), justify[block->align[column]]);
      gtk_widget_set_direction (label, gtk_widget_get_direction (grid));
      gtk_widget_add_css_class (label, row == 0 ? "md-th" : "md-td");
      gtk_grid_attach (GTK_GRID (grid), label, column, row, 1, 1);
    } else if (shown != NULL && i < shown->cells->len &&
               g_str_equal (shown->cells->pdata[i], block->cells->pdata[i])) {
      continue;
    }
    gtk_label_set_markup (GTK_LABEL (label), block->cells->pdata[i]);
    set_cell_width (GTK_LABEL (label));
  }
}

/* The first letter of its headings decides for the whole table. */
static void
follow_headings (GtkWidget *grid, const FacetBlock *block)
{
  g_autoptr (GString) headings = g_string_new (NULL);

  for (guint i = 0; i < block->columns; i++) {
    g_autofree char *text = NULL;

    if (pango_parse_markup (block->cells->pdata[i], -1, 0, NULL, &text, NULL, NULL))
      g_string_append (headings, text);
  }
  facet_widget_follow_text (grid, headings->str);
}

static GtkWidget *
table_grid (const FacetBlock *block)
{
  GtkWidget *grid = gtk_grid_new ();
  GtkWidget *scroller = sideways (grid);

  gtk_widget_add_css_class (scroller, "md-table");
  follow_headings (grid, block);
  update_table (grid, NULL, block);
  g_object_set_data (G_OBJECT (scroller), "grid", grid);
  return scroller;
}

static GtkWidget *
bare_widget (const FacetBlock *block)
{
  switch (block->kind) {
  case FACET_BLOCK_CODE:
    return code_box (block);
  case FACET_BLOCK_TABLE:
    return table_grid (block);
  case FACET_BLOCK_RULE:
    return gtk_separator_new (GTK_ORIENTATION_HORIZONTAL);
  case FACET_BLOCK_TEXT:
  case FACET_BLOCK_HEADING:
  default:
    return text_row (block);
  }
}

GtkWidget *
facet_block_widget_new (const FacetBlock *block)
{
  GtkWidget *widget = bare_widget (block);
  guint indent = block->indent;

  /* a list item carries its marker in the last step of the indentation */
  if (indent > 0 && (block->kind == FACET_BLOCK_TEXT || block->kind == FACET_BLOCK_HEADING))
    indent--;
  gtk_widget_set_margin_start (widget, INDENT * MIN (indent, 8));
  gtk_widget_set_margin_top (widget, block->tight ? 3 : block->kind == FACET_BLOCK_HEADING ? 18 : 10);
  if (block->quote > 0)
    gtk_widget_add_css_class (widget, "md-quote");
  return widget;
}

gboolean
facet_block_widget_update (GtkWidget *widget, const FacetBlock *shown, const FacetBlock *block)
{
  if (shown->kind != block->kind || shown->level != block->level || shown->indent != block->indent ||
      shown->quote != block->quote || shown->tight != block->tight || shown->columns != block->columns ||
      g_strcmp0 (shown->marker, block->marker) != 0 || g_strcmp0 (shown->language, block->language) != 0)
    return FALSE;

  switch (block->kind) {
  case FACET_BLOCK_TEXT:
  case FACET_BLOCK_HEADING:
    set_text (widget, g_object_get_data (G_OBJECT (widget), "label"), block->text);
    return TRUE;
  case FACET_BLOCK_CODE:
    update_code (widget, block->text);
    return TRUE;
  case FACET_BLOCK_TABLE:
    if (block->rows < shown->rows || memcmp (shown->align, block->align, block->columns) != 0)
      return FALSE;
    update_table (g_object_get_data (G_OBJECT (widget), "grid"), shown, block);
    return TRUE;
  case FACET_BLOCK_RULE:
  default:
    return TRUE;
  }
}
