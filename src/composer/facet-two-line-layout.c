#define G_LOG_DOMAIN "facet"

#include "facet-two-line-layout.h"

#define N_CHILDREN 4

enum { START, MIDDLE, REST, END };

struct _FacetTwoLineLayout {
  GtkLayoutManager parent_instance;

  int spacing;
};

G_DEFINE_FINAL_TYPE (FacetTwoLineLayout, facet_two_line_layout, GTK_TYPE_LAYOUT_MANAGER)

typedef struct {
  GtkWidget *widget;
  int        minimum;
  int        natural;
} Child;

static void
measure_children (GtkWidget *widget, GtkOrientation orientation, Child *children)
{
  GtkWidget *child = gtk_widget_get_first_child (widget);

  for (int i = 0; i < N_CHILDREN; i++, child = gtk_widget_get_next_sibling (child)) {
    children[i].widget = child;
    gtk_widget_measure (child, orientation, -1, &children[i].minimum, &children[i].natural, NULL, NULL);
  }
}

static int
wanted_width (FacetTwoLineLayout *self, const Child *children)
{
  int width = (N_CHILDREN - 1) * self->spacing;

  for (int i = 0; i < N_CHILDREN; i++)
    width += children[i].natural;
  return width;
}

static GtkSizeRequestMode
get_request_mode (GtkLayoutManager *manager, GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
measure (GtkLayoutManager *manager, GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
         int *minimum_baseline, int *natural_baseline)
{
  FacetTwoLineLayout *self = FACET_TWO_LINE_LAYOUT (manager);
  Child widths[N_CHILDREN], heights[N_CHILDREN];
  int others;

  measure_children (widget, GTK_ORIENTATION_HORIZONTAL, widths);
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    others = widths[START].minimum + widths[REST].minimum + widths[END].minimum + 2 * self->spacing;
    *minimum = MAX (others, widths[MIDDLE].minimum);
    *natural = wanted_width (self, widths);
    return;
  }
  measure_children (widget, GTK_ORIENTATION_VERTICAL, heights);
  others = MAX (MAX (heights[START].natural, heights[REST].natural), heights[END].natural);
  *minimum = for_size < 0 || for_size >= wanted_width (self, widths) ? MAX (others, heights[MIDDLE].natural)
                                                                     : others + self->spacing + heights[MIDDLE].natural;
  *natural = *minimum;
}

/* @x: from where lines begin. */
static void
place (GtkWidget *widget, GtkWidget *child, int x, int y, int width, int height, int whole)
{
  GtkAllocation place = { x, y, width, height };

  if (gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL)
    place.x = whole - x - width;
  gtk_widget_size_allocate (child, &place, -1);
}

static int
share (const Child *wants, int room)
{
  return MIN (wants->natural, MAX (wants->minimum, room));
}

static void
allocate (GtkLayoutManager *manager, GtkWidget *widget, int width, int height, int baseline)
{
  FacetTwoLineLayout *self = FACET_TWO_LINE_LAYOUT (manager);
  Child widths[N_CHILDREN], heights[N_CHILDREN];
  int start, end, middle, rest, top = 0, line = height;
  gboolean is_one_line;

  measure_children (widget, GTK_ORIENTATION_HORIZONTAL, widths);
  measure_children (widget, GTK_ORIENTATION_VERTICAL, heights);
  is_one_line = width >= wanted_width (self, widths);
  start = share (&widths[START], width - 2 * self->spacing - widths[REST].minimum - widths[END].minimum);
  end = share (&widths[END], width - 2 * self->spacing - widths[REST].minimum - start);
  middle = share (&widths[MIDDLE], width);
  rest = start + self->spacing;
  if (!is_one_line) {
    line = heights[MIDDLE].natural;
    top = line + self->spacing;
  }
  place (widget, widths[MIDDLE].widget, is_one_line ? rest : 0, 0, middle, line, width);
  if (is_one_line)
    rest += middle + self->spacing;
  place (widget, widths[START].widget, 0, top, start, height - top, width);
  place (widget, widths[REST].widget, rest, top, width - rest - self->spacing - end, height - top, width);
  place (widget, widths[END].widget, width - end, top, end, height - top, width);
}

GtkLayoutManager *
facet_two_line_layout_new (int spacing)
{
  FacetTwoLineLayout *self = g_object_new (FACET_TYPE_TWO_LINE_LAYOUT, NULL);

  self->spacing = spacing;
  return GTK_LAYOUT_MANAGER (self);
}

static void
facet_two_line_layout_class_init (FacetTwoLineLayoutClass *klass)
{
  GtkLayoutManagerClass *layout_class = GTK_LAYOUT_MANAGER_CLASS (klass);

  layout_class->get_request_mode = get_request_mode;
  layout_class->measure = measure;
  layout_class->allocate = allocate;
}

static void
facet_two_line_layout_init (FacetTwoLineLayout *self)
{
}
