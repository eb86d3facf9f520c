#define G_LOG_DOMAIN "facet"

#include "facet-text-widgets.h"

#include <adwaita.h>

void
facet_widget_set_shown (GtkWidget *widget, gboolean shown)
{
  GtkWidget *parent = gtk_widget_get_parent (widget);

  gtk_widget_set_visible (widget, shown);
  if (shown && parent != NULL)
    gtk_widget_queue_resize (parent);
}

void
facet_widget_follow_text (GtkWidget *widget, const char *text)
{
  PangoDirection direction = pango_find_base_dir (text, -1);

  if (direction != PANGO_DIRECTION_NEUTRAL)
    gtk_widget_set_direction (widget, direction == PANGO_DIRECTION_RTL ? GTK_TEXT_DIR_RTL : GTK_TEXT_DIR_LTR);
}

#define TEXT_MIN_WIDTH 48
#define TEXT_NATURAL_WIDTH 640

static int
unwrapped_width (GtkLabel *label)
{
  g_autoptr (PangoLayout) layout = pango_layout_copy (gtk_label_get_layout (label));
  int width;

  pango_layout_set_width (layout, -1);
  pango_layout_get_size (layout, &width, NULL);
  return PANGO_PIXELS_CEIL (width);
}

static GtkSizeRequestMode
text_request_mode (GtkWidget *label)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

/* To say how narrow it could be, a wrapping label lays its text out with one
 * word in each line, which takes the square of its length. Here it is only
 * asked for its height. */
static void
text_measure (GtkWidget     *label,
              GtkOrientation orientation,
              int            for_size,
              int           *minimum,
              int           *natural,
              int           *minimum_baseline,
              int           *natural_baseline)
{
  int width = for_size > 0 ? for_size : gtk_widget_get_width (label);

  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *natural = gtk_widget_get_hexpand (label) ? TEXT_NATURAL_WIDTH : unwrapped_width (GTK_LABEL (label));
    *minimum = MIN (*natural, TEXT_MIN_WIDTH);
    return;
  }
  GTK_WIDGET_GET_CLASS (label)->measure (label, orientation, width > 0 ? width : TEXT_NATURAL_WIDTH,
                                         minimum, natural, minimum_baseline, natural_baseline);
}

static void
text_allocate (GtkWidget *label, int width, int height, int baseline)
{
  GTK_WIDGET_GET_CLASS (label)->size_allocate (label, width, height, baseline);
}

GtkWidget *
facet_text_label_new (void)
{
  GtkWidget *label = gtk_label_new (NULL);
  g_autoptr (PangoAttrList) attributes = pango_attr_list_new ();

  pango_attr_list_insert (attributes, pango_attr_insert_hyphens_new (FALSE));
  gtk_label_set_attributes (GTK_LABEL (label), attributes);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_layout_manager (label, gtk_custom_layout_new (text_request_mode, text_measure, text_allocate));
  return label;
}

GtkWidget *
facet_long_text_new (const char *text, int height)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();
  GtkWidget *view = gtk_text_view_new ();

  gtk_text_buffer_set_text (gtk_text_view_get_buffer (GTK_TEXT_VIEW (view)), text, -1);
  gtk_text_view_set_editable (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_view_set_cursor_visible (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_view_set_accepts_tab (GTK_TEXT_VIEW (view), FALSE);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_AUTOMATIC, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scroller), height);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), view);
  return scroller;
}

/* ---- at the end of a line ----------------------------------------------- */

static void
end_measure (GtkWidget     *bin,
             GtkOrientation orientation,
             int            for_size,
             int           *minimum,
             int           *natural,
             int           *minimum_baseline,
             int           *natural_baseline)
{
  gtk_widget_measure (gtk_widget_get_first_child (bin), orientation, for_size, minimum, natural, NULL, NULL);
}

static void
end_allocate (GtkWidget *bin, int width, int height, int baseline)
{
  GtkWidget *child = gtk_widget_get_first_child (bin);
  gboolean left = gtk_widget_get_direction (bin) == GTK_TEXT_DIR_RTL;
  GskTransform *place;
  int natural;

  gtk_widget_measure (child, GTK_ORIENTATION_HORIZONTAL, -1, NULL, &natural, NULL, NULL);
  natural = MIN (natural, width);
  place = left ? NULL : gsk_transform_translate (NULL, &GRAPHENE_POINT_INIT (width - natural, 0));
  gtk_widget_allocate (child, natural, height, baseline, place);
}

GtkWidget *
facet_end_bin_new (GtkWidget *child)
{
  GtkWidget *bin = adw_bin_new ();

  adw_bin_set_child (ADW_BIN (bin), child);
  gtk_widget_set_layout_manager (bin, gtk_custom_layout_new (text_request_mode, end_measure, end_allocate));
  return bin;
}
