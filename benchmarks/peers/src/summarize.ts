type Order = { id: number; customer: string; city: string; items: { name: string; price: number; count: number }[] };

/** What a report does: totals by city, the best customers, a copy with totals. */
export function summarize(orders: Order[]) {
  const cities: Record<string, { orders: number; total: number }> = {};
  const customers: Record<string, number> = {};
  const rows = orders.map((order) => {
    const total = order.items.reduce((sum, item) => sum + item.price * item.count, 0);
    const city = (cities[order.city] ??= { orders: 0, total: 0 });
    city.orders++;
    city.total += total;
    customers[order.customer] = (customers[order.customer] ?? 0) + total;
    return { ...order, total, names: order.items.map((item) => item.name.toUpperCase()).sort().join(", ") };
  });
  const best = Object.entries(customers).sort((a, b) => b[1] - a[1]).slice(0, 10);
  return { cities, best, rows: rows.filter((row) => row.total > 100) };
}
