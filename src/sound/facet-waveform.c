#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "facet-waveform.h"

#define BAR 3.0f
#define PITCH 5.0f
#define STEP_SECONDS 5.0

struct _FacetWaveform {
  GtkWidget parent_instance;

  GArray  *peaks; /* float */
  double   seconds;
  double   position;
  gboolean growing;
};

static guint seek_signal;

G_DEFINE_FINAL_TYPE (FacetWaveform, facet_waveform, GTK_TYPE_WIDGET)

char *
facet_waveform_format_time (double seconds)
{
  gint64 whole = (gint64) MAX (0, seconds);

  if (whole >= 3600)
    return g_strdup_printf ("%d:%02d:%02d", (int) (whole / 3600), (int) (whole / 60 % 60), (int) (whole % 60));
  return g_strdup_printf ("%d:%02d", (int) (whole / 60), (int) (whole % 60));
}

gsize
facet_waveform_get_bars (FacetWaveform *self)
{
  return (gsize) MAX (1, gtk_widget_get_width (GTK_WIDGET (self)) / PITCH);
}

/* The largest peak of those that fall to bar @i of @n. */
static float
bar_height (FacetWaveform *self, gsize i, gsize n)
{
  gsize total = self->peaks->len;
  gsize first = i * total / n;
  gsize last = MAX (first + 1, (i + 1) * total / n);
  float height = 0;

  if (self->growing)
    return i + total >= n ? g_array_index (self->peaks, float, i + total - n) : 0;
  for (gsize k = first; k < MIN (last, total); k++)
    height = MAX (height, g_array_index (self->peaks, float, k));
  return height;
}

/* Speech is quiet beside its peaks: a square root shows it. */
static void
draw_bar (GtkSnapshot *snapshot, float x, float level, float height, const GdkRGBA *color)
{
  float size = MAX (BAR, sqrtf (CLAMP (level, 0, 1)) * height);
  GskRoundedRect rounded;

  gsk_rounded_rect_init_from_rect (&rounded, &GRAPHENE_RECT_INIT (x, (height - size) / 2, BAR, size), BAR / 2);
  gtk_snapshot_push_rounded_clip (snapshot, &rounded);
  gtk_snapshot_append_color (snapshot, color, &rounded.bounds);
  gtk_snapshot_pop (snapshot);
}

static void
facet_waveform_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FacetWaveform *self = FACET_WAVEFORM (widget);
  GtkStyleContext *style = gtk_widget_get_style_context (widget);
  gsize n = facet_waveform_get_bars (self);
  float height = (float) gtk_widget_get_height (widget);
  double played = self->seconds > 0 ? self->position / self->seconds : 0;
  GdkRGBA plain;
  GdkRGBA accent;

  gtk_style_context_get_color (style, &plain);
  if (!gtk_style_context_lookup_color (style, "accent_color", &accent))
    accent = plain;
  if (!self->growing)
    plain.alpha *= 0.55f;
  for (gsize i = 0; i < n; i++)
    draw_bar (snapshot, (float) i * PITCH, bar_height (self, i, n), height,
              self->growing || (i + 0.5) / n < played ? &accent : &plain);
}

static void
facet_waveform_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                        int *minimum_baseline, int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 48 : 28;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : 28;
  *minimum_baseline = *natural_baseline = -1;
}

static void
tell_value (FacetWaveform *self)
{
  g_autofree char *now = facet_waveform_format_time (self->position);
  g_autofree char *all = facet_waveform_format_time (self->seconds);
  /* Translators: times of a sound: what is heard, and its length: "0:05 of 1:20" */
  g_autofree char *text = g_strdup_printf (C_("place in a sound", "%s of %s"), now, all);

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_VALUE_MIN, 0.0,
                                  GTK_ACCESSIBLE_PROPERTY_VALUE_MAX, self->seconds,
                                  GTK_ACCESSIBLE_PROPERTY_VALUE_NOW, self->position,
                                  GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, text, -1);
}

static void
set_peaks (FacetWaveform *self, const float *peaks, gsize n)
{
  g_array_set_size (self->peaks, 0);
  g_array_append_vals (self->peaks, peaks, (guint) n);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
facet_waveform_set_sound (FacetWaveform *self, const float *peaks, gsize n, double seconds)
{
  self->growing = FALSE;
  self->seconds = seconds;
  self->position = 0;
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  set_peaks (self, peaks, n);
  tell_value (self);
}

void
facet_waveform_set_growing (FacetWaveform *self, const float *peaks, gsize n)
{
  self->growing = TRUE;
  gtk_widget_set_focusable (GTK_WIDGET (self), FALSE);
  set_peaks (self, peaks, n);
}

void
facet_waveform_set_position (FacetWaveform *self, double seconds)
{
  gboolean tell = floor (seconds) != floor (self->position);

  if (seconds == self->position)
    return;
  self->position = seconds;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  if (tell)
    tell_value (self);
}

/* ---- asking for another place ------------------------------------------- */

static void
ask (FacetWaveform *self, double fraction)
{
  if (!self->growing && self->seconds > 0)
    g_signal_emit (self, seek_signal, 0, CLAMP (fraction, 0, 1));
}

static void
drag_begin_cb (GtkGestureDrag *drag, double x, double y, FacetWaveform *self)
{
  gtk_gesture_set_state (GTK_GESTURE (drag), self->growing ? GTK_EVENT_SEQUENCE_DENIED : GTK_EVENT_SEQUENCE_CLAIMED);
  gtk_widget_grab_focus (GTK_WIDGET (self));
  ask (self, x / MAX (1, gtk_widget_get_width (GTK_WIDGET (self))));
}

static void
drag_update_cb (GtkGestureDrag *drag, double dx, double dy, FacetWaveform *self)
{
  double x, y;

  gtk_gesture_drag_get_start_point (drag, &x, &y);
  ask (self, (x + dx) / MAX (1, gtk_widget_get_width (GTK_WIDGET (self))));
}

static gboolean
step_cb (GtkWidget *widget, GVariant *args, gpointer data)
{
  FacetWaveform *self = FACET_WAVEFORM (widget);

  ask (self, self->seconds > 0 ? (self->position + g_variant_get_double (args)) / self->seconds : 0);
  return GDK_EVENT_STOP;
}

static void
facet_waveform_finalize (GObject *object)
{
  g_array_unref (FACET_WAVEFORM (object)->peaks);
  G_OBJECT_CLASS (facet_waveform_parent_class)->finalize (object);
}

static void
facet_waveform_class_init (FacetWaveformClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = facet_waveform_finalize;
  widget_class->snapshot = facet_waveform_snapshot;
  widget_class->measure = facet_waveform_measure;
  seek_signal = g_signal_new ("seek", FACET_TYPE_WAVEFORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                              G_TYPE_DOUBLE);
  gtk_widget_class_set_css_name (widget_class, "waveform");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_SLIDER);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Left, 0, step_cb, "d", -STEP_SECONDS);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Right, 0, step_cb, "d", STEP_SECONDS);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Home, 0, step_cb, "d", -G_MAXDOUBLE);
}

static void
facet_waveform_init (FacetWaveform *self)
{
  GtkGesture *drag = gtk_gesture_drag_new ();

  self->peaks = g_array_new (FALSE, FALSE, sizeof (float));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Sound"), -1);
  gtk_widget_set_direction (GTK_WIDGET (self), GTK_TEXT_DIR_LTR);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin_cb), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (drag_update_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
}

GtkWidget *
facet_waveform_new (void)
{
  return g_object_new (FACET_TYPE_WAVEFORM, NULL);
}
